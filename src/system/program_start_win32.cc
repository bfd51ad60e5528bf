// SPDX-License-Identifier: Apache-2.0

#include "system/program_start.h"
#include "system/win32.h"

// After windows.h, which it needs.
#include <fcntl.h>
#include <io.h>
#include <shellapi.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>

namespace blendwire::system {

// What main() itself is given has lost every character that is not in the system's code page.
std::vector<std::string> StartProgram(int argc, const char* const* argv) {
  SetConsoleOutputCP(CP_UTF8);
  // No line end becomes two bytes on its way: outputs may be files of numbers, or another program's
  // input.
  for (std::FILE* stream : {stdin, stdout, stderr}) _setmode(_fileno(stream), _O_BINARY);

  int count = 0;
  wchar_t** const wide = CommandLineToArgvW(GetCommandLineW(), &count);
  if (wide == nullptr) return std::vector<std::string>(argv, argv + argc);
  std::vector<std::string> arguments;
  for (int i = 0; i < count; ++i) arguments.push_back(Utf8(wide[i]));
  LocalFree(wide);
  return arguments;
}

// The C runtime waits for each stream's lock on its way out, and a thread that reads holds one.
void EndProgram(int exit_code) {
  std::cout.flush();
  std::fflush(stdout);
  std::fflush(stderr);
  std::_Exit(exit_code);
}

}  // namespace blendwire::system
