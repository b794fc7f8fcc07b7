# SPDX-License-Identifier: Apache-2.0
"""The ranking as a table of text."""
WORDS = {"kills": "mutants killed", "met": "mutants met (an upper bound of kills)", "points": "coverage points hit"}


def percent(share):
    return "-" if share is None else f"{100 * share:.1f} %"


def of_set(name, row, goals):
    shares = ", ".join(f"{percent(row[goal])} of {goal}" for goal in goals)
    return f"{name:<26}{row['runs']:5} runs {row['seconds']:9.1f} s  {shares}"


def text_of(result):
    goals, share = result["by"], f"{100 * result['share']:.0f} %"
    lines = [f"{goal}: {WORDS[goal]}; {result['totals'][goal]} by all runs together" for goal in goals]
    if "kills" in goals and result["kills_known"] != "of every run":
        lines.append("kills are known of the first run that noticed only: others were not tried (mutate --all-runs tries them)")
    head = "".join(f"  |{goal:>8}{'/s':>9}{'new':>7}{'cum.':>8}" for goal in goals)
    lines += ["", f"{'rank':>4}  {'run':<32}{'s':>8}{'cum. s':>9}{head}"]
    for row in result["rows"]:
        cells = "".join(f"  |{row[g]['seen']:>8}{row[g]['per_s']:>9.1f}{row[g]['new']:>7}{percent(row[g]['cumulative']):>8}"
                        for g in goals)
        lines.append(f"{row['rank']:>4}  {row['run']:<32}{row['seconds']:>8.2f}{row['cumulative_s']:>9.1f}{cells}")
    lines += ["", of_set("all", result["all"], goals), of_set(f"smallest set for {share}", result["smallest"], goals),
              of_set("smoke as it is", result["smoke"], goals),
              of_set("the best in its time", result["best_in_the_time_of_smoke"], goals)]
    if result["smoke"]["not_measured"]:
        lines.append(f"{result['smoke']['not_measured']} runs of smoke were not measured")
    if result["changed"]:
        lines.append("smoke --changed, told for each of {killed} mutants that smoke kills from the others: {0} still killed, in {1} of "
                     "the time; first kill after {first_kill_s} s of one processor, in the usual order after {first_kill_usual_s} s".format(
                         percent(result["changed"]["still_killed"]), percent(result["changed"]["time"]), **result["changed"]))
    lines += ["", f"{'test':<32}{'runs':>6}{'contributing':>14}{'in the smallest set':>21}"]
    lines += [f"{test:<32}{row['runs']:>6}{row['contributing']:>14}{row['smallest']:>21}" for test, row in result["tests"].items()]
    return "\n".join(lines)
