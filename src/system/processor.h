// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_SYSTEM_PROCESSOR_H_
#define BLENDWIRE_SYSTEM_PROCESSOR_H_

#include <string>

namespace blendwire::system {

// The processor's name as its maker gives it, e.g. "AMD EPYC 7B13"; "unknown processor" if the
// system does not tell.
std::string ProcessorName();

}  // namespace blendwire::system

#endif  // BLENDWIRE_SYSTEM_PROCESSOR_H_
