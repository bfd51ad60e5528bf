// SPDX-License-Identifier: Apache-2.0

#include "cli/npz.h"

#include <cstdint>
#include <limits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cli/npy.h"
#include "zlib.h"

namespace blendwire::cli {
namespace {

constexpr uint32_t kLocalHeader = 0x04034b50;
constexpr uint32_t kDirectoryEntry = 0x02014b50;
constexpr uint32_t kDirectoryEnd = 0x06054b50;
constexpr uint16_t kVersion = 20;
constexpr uint16_t kUtf8Names = 1u << 11;
constexpr uint16_t kStored = 0;
constexpr uint16_t kMidnight = 0;
constexpr uint16_t kFirstOfJanuary1980 = (1u << 5) | 1u;  // the earliest date there is

void Append16(std::string& out, uint16_t value) {
  out += static_cast<char>(value & 0xff);
  out += static_cast<char>(value >> 8);
}

void Append32(std::string& out, uint32_t value) {
  Append16(out, static_cast<uint16_t>(value & 0xffff));
  Append16(out, static_cast<uint16_t>(value >> 16));
}

uint32_t Crc32(const std::string& bytes) {
  return static_cast<uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

// What a member's own header and its entry in the directory have in common.
std::string SharedHeader(const std::string& name, const std::string& content) {
  std::string header;
  Append16(header, kVersion);
  Append16(header, kUtf8Names);
  Append16(header, kStored);
  Append16(header, kMidnight);
  Append16(header, kFirstOfJanuary1980);
  Append32(header, Crc32(content));
  Append32(header, static_cast<uint32_t>(content.size()));  // as stored
  Append32(header, static_cast<uint32_t>(content.size()));
  Append16(header, static_cast<uint16_t>(name.size()));
  Append16(header, 0);  // extra fields
  return header;
}

std::string DirectoryEntry(const std::string& name, const std::string& shared, size_t offset) {
  std::string entry;
  Append32(entry, kDirectoryEntry);
  Append16(entry, kVersion);  // written by; the upper byte 0 promises nothing about the system
  entry += shared;
  Append16(entry, 0);  // comment
  Append16(entry, 0);  // disk
  Append16(entry, 0);  // internal attributes
  Append32(entry, 0);  // external attributes
  Append32(entry, static_cast<uint32_t>(offset));
  entry += name;
  return entry;
}

// The archive's size to within a few kilobytes, to allocate it at once and to refuse it early.
size_t RoughSize(const std::vector<NamedVectors>& arrays) {
  constexpr size_t kOverhead = 400;  // headers of the archive and of the .npy
  size_t size = kOverhead;
  for (const NamedVectors& array : arrays) {
    size += array.values.size() * sizeof(float) + 2 * array.name.size() + kOverhead;
  }
  return size;
}

}  // namespace

absl::StatusOr<std::string> ToNpz(const std::vector<NamedVectors>& arrays) {
  const size_t rough_size = RoughSize(arrays);
  if (rough_size >= std::numeric_limits<uint32_t>::max() ||
      arrays.size() > std::numeric_limits<uint16_t>::max()) {
    return absl::OutOfRangeError(
        absl::StrCat(arrays.size(), " arrays of ", rough_size,
                     " bytes in all are too much for one .npz file (4 GiB, 65535 arrays)"));
  }
  std::string out;
  out.reserve(rough_size);
  std::string directory;
  for (const NamedVectors& array : arrays) {
    const std::string name = absl::StrCat(array.name, ".npy");
    const std::string content = ToNpy(array.values);
    const std::string shared = SharedHeader(name, content);
    directory += DirectoryEntry(name, shared, out.size());
    Append32(out, kLocalHeader);
    out += shared;
    out += name;
    out += content;
  }
  const size_t directory_offset = out.size();
  out += directory;
  Append32(out, kDirectoryEnd);
  Append16(out, 0);  // this disk
  Append16(out, 0);  // the directory's disk
  Append16(out, static_cast<uint16_t>(arrays.size()));
  Append16(out, static_cast<uint16_t>(arrays.size()));
  Append32(out, static_cast<uint32_t>(directory.size()));
  Append32(out, static_cast<uint32_t>(directory_offset));
  Append16(out, 0);  // comment
  return out;
}

}  // namespace blendwire::cli
