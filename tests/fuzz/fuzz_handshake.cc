// SPDX-License-Identifier: Apache-2.0
//
// What a server and the program that manages it say to each other before there is a connection: the
// token, the start-up line, and addresses.

#include <cstdint>
#include <sstream>
#include <string>

#include "check.h"
#include "client/address.h"
#include "client/internal/startup_line.h"
#include "input.h"
#include "server/listen_address.h"
#include "server/token.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace blendwire;
  fuzz::Input input(data, size);
  const uint8_t which = input.Take<uint8_t>() % 4;
  const std::string text = input.TakeRest();
  if (which == 0) {
    std::istringstream lines(text);
    if (const auto token = server::ReadToken(lines); token.ok()) {
      BLENDWIRE_FUZZ_CHECK(token->size() >= 16 && token->size() <= 512);
      BLENDWIRE_FUZZ_CHECK(token->find_first_of(" \t\r\n") == std::string::npos);
      BLENDWIRE_FUZZ_CHECK(text.compare(0, token->size(), *token) == 0);
    }
  } else if (which == 1) {
    if (const auto line = client::ParseStartupLine(text); line.ok()) {
      BLENDWIRE_FUZZ_CHECK(client::LocalTarget(line->address).ok());
    }
  } else if (which == 2) {
    if (const auto target = client::LocalTarget(text); target.ok()) {
      BLENDWIRE_FUZZ_CHECK(!target->empty());
    }
  } else if (const auto host = server::LoopbackHost(text); host.ok()) {
    // Another machine's address must never come out of it.
    BLENDWIRE_FUZZ_CHECK(*host == "127.0.0.1" || *host == "::1");
  }
  return 0;
}
