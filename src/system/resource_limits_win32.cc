// SPDX-License-Identifier: Apache-2.0

#include "system/resource_limits.h"
#include "system/win32.h"

namespace blendwire::system {

void LimitMemory(int64_t bytes) {
  // A crash ends the process at once: no window that waits for somebody to close it.
  SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
  // The handle stays open: the job, and with it the limit, is to last as long as the process.
  const HANDLE job = CreateJobObjectW(nullptr, nullptr);
  if (job == nullptr) return;
  JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {};
  limits.BasicLimitInformation.LimitFlags =
      JOB_OBJECT_LIMIT_PROCESS_MEMORY | JOB_OBJECT_LIMIT_DIE_ON_UNHANDLED_EXCEPTION;
  limits.ProcessMemoryLimit = static_cast<SIZE_T>(bytes);
  SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof(limits));
  AssignProcessToJobObject(job, GetCurrentProcess());
}

void RaiseDescriptorLimit() {}  // handles have no such limit

}  // namespace blendwire::system
