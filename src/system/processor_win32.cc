// SPDX-License-Identifier: Apache-2.0

#include "system/processor.h"
#include "system/win32.h"

namespace blendwire::system {

std::string ProcessorName() {
  wchar_t name[256];
  DWORD size = sizeof(name);
  if (RegGetValueW(HKEY_LOCAL_MACHINE, L"HARDWARE\\DESCRIPTION\\System\\CentralProcessor\\0",
                   L"ProcessorNameString", RRF_RT_REG_SZ, nullptr, name, &size) != ERROR_SUCCESS) {
    return "unknown processor";
  }
  std::string text = Utf8(name);
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text.empty() ? "unknown processor" : text;
}

}  // namespace blendwire::system
