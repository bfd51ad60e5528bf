// SPDX-License-Identifier: Apache-2.0

#include "model/path_policy.h"

#include <filesystem>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/testing/model_files.h"

namespace blendwire::model {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

// folder/
//   models/ face.onnx  sub/deep.onnx
//   models-private/ secret.onnx
//   secret.onnx
class PathPolicyTest : public ::testing::Test {
 protected:
  PathPolicyTest() {
    face_ = folder_.Write("models/face.onnx", "x");
    deep_ = folder_.Write("models/sub/deep.onnx", "x");
    sibling_ = folder_.Write("models-private/secret.onnx", "x");
    secret_ = folder_.Write("secret.onnx", "x");
    root_ = folder_.path() / "models";
  }

  PathPolicy Policy() const { return PathPolicy::Create({root_}).value(); }

  absl::StatusCode CodeFor(const fs::path& path) const {
    return Policy().Resolve(path.string()).status().code();
  }

  testing::TestFolder folder_;
  fs::path root_, face_, deep_, sibling_, secret_;
};

TEST_F(PathPolicyTest, AllowsWhatLiesInside) {
  EXPECT_EQ(Policy().Resolve(face_.string()).value(), face_);
  EXPECT_EQ(Policy().Resolve(deep_.string()).value(), deep_);
}

TEST_F(PathPolicyTest, ARelativePathStartsAtTheFirstRoot) {
  EXPECT_EQ(Policy().Resolve("face.onnx").value(), face_);
  EXPECT_EQ(Policy().Resolve("./sub/../sub//deep.onnx").value(), deep_);
}

TEST_F(PathPolicyTest, DotsLeadInsideButNotOutside) {
  EXPECT_EQ(Policy().Resolve((root_ / "sub/../face.onnx").string()).value(), face_);
  EXPECT_EQ(CodeFor("../secret.onnx"), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(CodeFor(root_ / "../secret.onnx"), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(CodeFor("sub/../../secret.onnx"), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(CodeFor("missing/../../secret.onnx"), absl::StatusCode::kPermissionDenied);
}

TEST_F(PathPolicyTest, AFolderWhoseNameOnlyBeginsAlikeIsOutside) {
  EXPECT_EQ(CodeFor(sibling_), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(CodeFor("../models-private/secret.onnx"), absl::StatusCode::kPermissionDenied);
}

TEST_F(PathPolicyTest, OutsideItDoesNotMatterWhetherTheFileExists) {
  EXPECT_EQ(CodeFor(secret_), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(CodeFor(folder_.path() / "nothing.onnx"), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(CodeFor("/etc/passwd"), absl::StatusCode::kPermissionDenied);
}

TEST_F(PathPolicyTest, InsideAMissingFileIsNotFound) {
  EXPECT_EQ(CodeFor("nothing.onnx"), absl::StatusCode::kNotFound);
  EXPECT_EQ(CodeFor("nowhere/nothing.onnx"), absl::StatusCode::kNotFound);
  EXPECT_EQ(CodeFor("sub"), absl::StatusCode::kNotFound) << "a folder is no model file";
  EXPECT_EQ(CodeFor(root_), absl::StatusCode::kNotFound);
}

TEST_F(PathPolicyTest, SymbolicLinksAreFollowed) {
  fs::create_symlink(secret_, root_ / "out.onnx");
  fs::create_directory_symlink(folder_.path() / "models-private", root_ / "outside");
  fs::create_symlink(deep_, root_ / "in.onnx");
  EXPECT_EQ(CodeFor("out.onnx"), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(CodeFor("outside/secret.onnx"), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(Policy().Resolve("in.onnx").value(), deep_);
}

TEST_F(PathPolicyTest, ALoopOfLinksIsNoFile) {
  fs::create_symlink(root_ / "b.onnx", root_ / "a.onnx");
  fs::create_symlink(root_ / "a.onnx", root_ / "b.onnx");
  EXPECT_FALSE(Policy().Resolve("a.onnx").ok());
}

TEST_F(PathPolicyTest, ARootMayBeALinkItself) {
  fs::create_directory_symlink(root_, folder_.path() / "link");
  const PathPolicy policy = PathPolicy::Create({folder_.path() / "link"}).value();
  EXPECT_EQ(policy.Resolve((folder_.path() / "link/face.onnx").string()).value(), face_);
  EXPECT_EQ(policy.Resolve(face_.string()).value(), face_);
}

TEST_F(PathPolicyTest, EveryRootIsAllowed) {
  const PathPolicy policy = PathPolicy::Create({root_, folder_.path() / "models-private"}).value();
  EXPECT_EQ(policy.Resolve(sibling_.string()).value(), sibling_);
  EXPECT_EQ(policy.Resolve(secret_.string()).status().code(), absl::StatusCode::kPermissionDenied);
}

TEST_F(PathPolicyTest, WithoutRootsNothingIsAllowed) {
  const absl::Status status = PathPolicy::Create({}).value().Resolve(face_.string()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(status.message()), HasSubstr("--model-root"));
}

TEST_F(PathPolicyTest, StrangePathsAreInvalid) {
  for (const std::string& path : {std::string(), std::string("a\0b", 3), std::string(4097, 'a')}) {
    EXPECT_EQ(Policy().Resolve(path).status().code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST_F(PathPolicyTest, TheErrorNamesThePathAndTheRoots) {
  const absl::Status status = Policy().Resolve("/etc/\npasswd").status();
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr(R"(/etc/\npasswd)"), HasSubstr(root_.string())));
}

TEST_F(PathPolicyTest, ARootMustBeAFolder) {
  for (const fs::path& root : {folder_.path() / "nothing", face_}) {
    const absl::Status status = PathPolicy::Create({root}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
    EXPECT_THAT(std::string(status.message()), HasSubstr(root.string()));
  }
}

}  // namespace
}  // namespace blendwire::model
