// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_FUZZ_INPUT_H_
#define BLENDWIRE_FUZZ_INPUT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace blendwire::fuzz {

// Values out of the fuzzer's bytes, front to back; zeros when they are used up.
class Input {
 public:
  Input(const uint8_t* data, size_t size) : data_(data), size_(size) {}

  size_t left() const { return size_; }

  template <typename T>
  T Take() {
    T value{};
    const size_t count = std::min(sizeof(T), size_);
    std::memcpy(&value, data_, count);
    Skip(count);
    return value;
  }

  // 0 to below `limit`.
  size_t TakeBelow(size_t limit) { return limit == 0 ? 0 : Take<uint32_t>() % limit; }

  bool TakeBool() { return (Take<uint8_t>() & 1) != 0; }

  // Any float half of the time, NaN and infinities included, else one of a sensible size.
  float TakeFloat() {
    if (TakeBool()) return Take<float>();
    return static_cast<float>(Take<int16_t>()) / 16384.0f;
  }

  std::vector<float> TakeFloats(size_t count) {
    std::vector<float> values(count);
    for (float& value : values) value = TakeFloat();
    return values;
  }

  // At most `limit` bytes.
  std::string TakeText(size_t limit) {
    const size_t count = std::min(size_t{Take<uint8_t>()}, std::min(limit, size_));
    std::string text(reinterpret_cast<const char*>(data_), count);
    Skip(count);
    return text;
  }

  std::string TakeRest() {
    std::string text(reinterpret_cast<const char*>(data_), size_);
    Skip(size_);
    return text;
  }

 private:
  void Skip(size_t count) {
    data_ += count;
    size_ -= count;
  }

  const uint8_t* data_;
  size_t size_;
};

}  // namespace blendwire::fuzz

#endif  // BLENDWIRE_FUZZ_INPUT_H_
