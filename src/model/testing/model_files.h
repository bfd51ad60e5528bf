// SPDX-License-Identifier: Apache-2.0
//
// The small models of model/testdata, for tests. make.py there says what each computes.

#ifndef BLENDWIRE_MODEL_TESTING_MODEL_FILES_H_
#define BLENDWIRE_MODEL_TESTING_MODEL_FILES_H_

#include <filesystem>
#include <memory>
#include <string>

#include "model/model.h"

namespace blendwire::model::testing {

// `name` without ".onnx".
std::filesystem::path ModelFile(const std::string& name);

// On the CPU with one thread and without a warm-up run. Ends the process if it fails.
std::shared_ptr<const Model> LoadModel(const std::string& name);

// A folder of its own for one test, empty at first and deleted afterwards.
class TestFolder {
 public:
  TestFolder();
  ~TestFolder();
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

  // Makes the folders in between, too.
  std::filesystem::path Write(const std::filesystem::path& name, const std::string& content) const;

 private:
  std::filesystem::path path_;  // canonical
};

}  // namespace blendwire::model::testing

#endif  // BLENDWIRE_MODEL_TESTING_MODEL_FILES_H_
