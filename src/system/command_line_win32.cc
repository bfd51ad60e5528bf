// SPDX-License-Identifier: Apache-2.0

#include "system/command_line_win32.h"

#include <string_view>

#include "system/win32.h"

namespace blendwire::system {
namespace {

// By the rules of Microsoft's C runtime: a backslash counts only before a quotation mark.
void AppendQuoted(std::wstring_view argument, std::wstring& line) {
  if (!line.empty()) line.push_back(L' ');
  if (!argument.empty() && argument.find_first_of(L" \t\n\v\"") == std::wstring_view::npos) {
    line.append(argument);
    return;
  }
  line.push_back(L'"');
  size_t backslashes = 0;
  for (const wchar_t c : argument) {
    if (c == L'"') line.append(backslashes + 1, L'\\');
    backslashes = c == L'\\' ? backslashes + 1 : 0;
    line.push_back(c);
  }
  line.append(backslashes, L'\\');
  line.push_back(L'"');
}

// Names of variables differ in more than capitals.
struct NameLess {
  bool operator()(const std::wstring& a, const std::wstring& b) const {
    return CompareStringOrdinal(a.data(), static_cast<int>(a.size()), b.data(),
                                static_cast<int>(b.size()), TRUE) == CSTR_LESS_THAN;
  }
};

std::map<std::wstring, std::wstring, NameLess> CurrentEnvironment() {
  std::map<std::wstring, std::wstring, NameLess> variables;
  wchar_t* const block = GetEnvironmentStringsW();
  for (const wchar_t* entry = block; entry != nullptr && *entry != L'\0';) {
    const std::wstring_view text = entry;
    // "=C:=C:\\folder" is the current folder of a drive: its name begins with the sign.
    const size_t sign = text.find(L'=', 1);
    if (sign != std::wstring_view::npos) {
      variables.emplace(text.substr(0, sign), text.substr(sign + 1));
    }
    entry += text.size() + 1;
  }
  if (block != nullptr) FreeEnvironmentStringsW(block);
  return variables;
}

}  // namespace

std::wstring CommandLine(const std::filesystem::path& program,
                         const std::vector<std::string>& arguments) {
  std::wstring line;
  AppendQuoted(program.native(), line);
  for (const std::string& argument : arguments) AppendQuoted(Wide(argument), line);
  return line;
}

std::wstring EnvironmentBlock(const std::map<std::string, std::optional<std::string>>& changes) {
  auto variables = CurrentEnvironment();
  for (const auto& [name, value] : changes) {
    if (value.has_value()) {
      variables[Wide(name)] = Wide(*value);
    } else {
      variables.erase(Wide(name));
    }
  }
  std::wstring block;
  for (const auto& [name, value] : variables) {
    block.append(name).append(L"=").append(value).push_back(L'\0');
  }
  if (block.empty()) block.push_back(L'\0');
  block.push_back(L'\0');
  return block;
}

}  // namespace blendwire::system
