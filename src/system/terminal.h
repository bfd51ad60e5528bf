// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_SYSTEM_TERMINAL_H_
#define BLENDWIRE_SYSTEM_TERMINAL_H_

namespace blendwire::system {

// Whether somebody watches standard error on a terminal that can rewrite its last line.
bool StandardErrorIsTerminal();

// The same of standard output.
bool StandardOutputIsTerminal();

}  // namespace blendwire::system

#endif  // BLENDWIRE_SYSTEM_TERMINAL_H_
