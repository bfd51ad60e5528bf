// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_CONTRACT_METADATA_KEYS_H_
#define BLENDWIRE_CONTRACT_METADATA_KEYS_H_

namespace blendwire::contract {

// Request: "Bearer <token>", where the server demands one.
inline constexpr char kAuthorizationKey[] = "authorization";
// Request and response: names the call in the server's log; the server makes one if there is none.
inline constexpr char kRequestIdKey[] = "x-request-id";
// Response, with RESOURCE_EXHAUSTED because of load: milliseconds after which to try again.
inline constexpr char kRetryAfterKey[] = "retry-after-ms";

}  // namespace blendwire::contract

#endif  // BLENDWIRE_CONTRACT_METADATA_KEYS_H_
