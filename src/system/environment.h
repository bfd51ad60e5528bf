// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_SYSTEM_ENVIRONMENT_H_
#define BLENDWIRE_SYSTEM_ENVIRONMENT_H_

namespace blendwire::system {

// Sets a variable of this process's environment. Only while there is no second thread, which might
// be reading another one.
void SetEnvironment(const char* name, const char* value) noexcept;

}  // namespace blendwire::system

#endif  // BLENDWIRE_SYSTEM_ENVIRONMENT_H_
