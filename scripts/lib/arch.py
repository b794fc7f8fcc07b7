# SPDX-License-Identifier: Apache-2.0
"""The description of the machine that all languages share, as it stands."""
import pathlib
import tomllib

PATH = pathlib.Path(__file__).resolve().parents[2] / "rtl/defs/arch.toml"


def read():
    return tomllib.loads(PATH.read_text(encoding="utf-8"))


def sizes(config):
    """Constants, and sizes of a configuration: {name: value}."""
    arch = read()
    return {name: entry["value"] for name, entry in (arch["constants"] | arch["sizes"][config]).items()}


def core_ghz():
    """Core cycles per nanosecond."""
    arch = read()
    return arch["rates"]["FabricMhz"]["value"] * arch["constants"]["FabricDivide"]["value"] / 1000
