// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_SYSTEM_RESOURCE_LIMITS_H_
#define BLENDWIRE_SYSTEM_RESOURCE_LIMITS_H_

#include <cstdint>

namespace blendwire::system {

// This process cannot have more than that much memory from now on, and leaves no core file when it
// crashes. Best effort: a system without such limits goes on without.
void LimitMemory(int64_t bytes);

// Lets this process have as many open files and connections as it may, 10240 at the most. Often only
// a small part of that is allowed until a program asks.
void RaiseDescriptorLimit();

}  // namespace blendwire::system

#endif  // BLENDWIRE_SYSTEM_RESOURCE_LIMITS_H_
