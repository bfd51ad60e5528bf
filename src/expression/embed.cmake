# SPDX-License-Identifier: Apache-2.0
# cmake -DINPUT=file -DOUTPUT=file.cc -P embed.cmake
# Writes a C++ source that defines blendwire::expression::internal::kExpressionsJson as the bytes of
# INPUT. An array, not a string literal: compilers limit the length of those.

file(READ ${INPUT} bytes HEX)
string(REGEX REPLACE "(..)" "'\\\\x\\1'," bytes "${bytes}")
string(REPEAT "'[^']*'," 16 line)
string(REGEX REPLACE "(${line})" "\\1\n" bytes "${bytes}")
file(WRITE ${OUTPUT} "// Generated from expressions.json.
#include <cstddef>

namespace blendwire::expression::internal {
extern const char kExpressionsJson[];
extern const size_t kExpressionsJsonSize;
const char kExpressionsJson[] = {
${bytes}};
const size_t kExpressionsJsonSize = sizeof(kExpressionsJson);
}  // namespace blendwire::expression::internal
")
