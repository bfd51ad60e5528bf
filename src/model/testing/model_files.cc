// SPDX-License-Identifier: Apache-2.0

#include "model/testing/model_files.h"

#include <fstream>
#include <random>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace blendwire::model::testing {

std::filesystem::path ModelFile(const std::string& name) {
  return std::filesystem::path(BLENDWIRE_MODEL_TESTDATA) / (name + ".onnx");
}

std::shared_ptr<const Model> LoadModel(const std::string& name) {
  return Model::Load(ModelFile(name), {.device = Device::kCpu, .threads = 1, .warm_up = false})
      .value();
}

TestFolder::TestFolder() {
  std::random_device random;
  path_ = std::filesystem::canonical(std::filesystem::temp_directory_path()) /
          absl::StrCat("blendwire_test_", random(), "_", random());
  std::filesystem::create_directories(path_);
}

TestFolder::~TestFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::filesystem::path TestFolder::Write(const std::filesystem::path& name,
                                        const std::string& content) const {
  const std::filesystem::path file = path_ / name;
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << content;
  return file;
}

}  // namespace blendwire::model::testing
