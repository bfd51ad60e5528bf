// SPDX-License-Identifier: Apache-2.0
//
// From the results of a job to the structs of the API. A null target is fine: only the job's error
// is wanted then.

#ifndef BLENDWIRE_CAPI_RESULTS_H_
#define BLENDWIRE_CAPI_RESULTS_H_

#include <cstddef>

#include "absl/status/status.h"
#include "capi/blendwire.h"
#include "capi/job.h"

namespace blendwire::capi {

absl::Status WriteHealth(const Job& job, blendwire_health_info* target);
absl::Status WritePrediction(const Job& job, blendwire_prediction_info* target);
absl::Status WriteStats(const Job& job, blendwire_stats* target);
absl::Status WriteModelStats(const Job& job, size_t index, blendwire_model_stats* target);
absl::Status WriteLoadedVersion(const Job& job, char* version, size_t version_size);
absl::Status WriteModelInfo(const Job& job, size_t index, blendwire_model_info* target);
// One item of a batch; the item's own failure goes into `target`, not into the result.
absl::Status WriteItem(const Job& job, size_t index, blendwire_prediction_info* target);

// Element of an array whose elements have the size that the first one says.
inline blendwire_prediction_info* ElementAt(blendwire_prediction_info* first, size_t index) {
  return reinterpret_cast<blendwire_prediction_info*>(reinterpret_cast<char*>(first) +
                                                      index * first->struct_size);
}

}  // namespace blendwire::capi

#endif  // BLENDWIRE_CAPI_RESULTS_H_
