// SPDX-License-Identifier: Apache-2.0
#include "tb/system/inject.h"
namespace tb {
std::vector<std::string_view> site_names() { return {}; }
bool find_site(std::string_view) { return false; }
std::string site_list() { return ""; }
struct Injector::Impl {};
Injector::Injector(const Options&, const cmodel::Program&) {}
Injector::~Injector() = default;
void Injector::arm(Board&) {}
void Injector::judge(Outcome&, nlohmann::ordered_json&) {}
}  // namespace tb
