// SPDX-License-Identifier: Apache-2.0

#include "avatar/avatar.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "avatar/internal/document.h"
#include "avatar/internal/geometry.h"
#include "avatar/internal/morph_writer.h"
#include "avatar/internal/obj_import.h"
#include "avatar/internal/status_macros.h"
#include "system/files.h"

namespace blendwire::avatar {

struct Avatar::Data {
  Document document;
  Geometry geometry;
  std::vector<MeshInfo> meshes;
  std::vector<std::string> warnings;
  Limits limits;
  Format format = Format::kGltf;
};

namespace {

std::string Extension(const std::filesystem::path& file) {
  return absl::AsciiStrToLower(system::ToUtf8(file.extension()));
}

absl::StatusOr<std::shared_ptr<const Avatar::Data>> ToData(absl::StatusOr<Document> document,
                                                           Format format,
                                                           const ReadOptions& options) {
  if (!document.ok()) return document.status();
  auto data = std::make_shared<Avatar::Data>();
  data->document = *std::move(document);
  data->limits = options.limits;
  data->format = format;
  if (data->document.is_vrm()) {
    data->format = data->document.faces_backward() ? Format::kVrm0 : Format::kVrm1;
  }
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(data->geometry, ReadGeometry(data->document, options));
  for (const MeshPart& part : data->geometry.parts) data->meshes.push_back(part.info);
  data->warnings = data->document.warnings;
  data->warnings.insert(data->warnings.end(), data->geometry.warnings.begin(),
                        data->geometry.warnings.end());
  return std::shared_ptr<const Avatar::Data>(std::move(data));
}

}  // namespace

Avatar::Avatar(std::shared_ptr<const Data> data) : data_(std::move(data)) {}

absl::StatusOr<Avatar> Avatar::Read(const std::filesystem::path& file, const ReadOptions& options) {
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(std::string bytes,
                                    system::ReadFile(file, options.limits.max_file_bytes));
  const std::filesystem::path folder =
      file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  const bool is_obj = Extension(file) == ".obj";
  absl::StatusOr<Document> document = is_obj
                                          ? ImportObj(bytes, folder, options)
                                          : LoadDocument(std::move(bytes), folder, options.limits);
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(
      std::shared_ptr<const Data> data,
      ToData(std::move(document), is_obj ? Format::kObj : Format::kGltf, options));
  return Avatar(std::move(data));
}

absl::StatusOr<Avatar> Avatar::Parse(std::string bytes, const ReadOptions& options) {
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(
      std::shared_ptr<const Data> data,
      ToData(LoadDocument(std::move(bytes), {}, options.limits), Format::kGltf, options));
  return Avatar(std::move(data));
}

absl::StatusOr<Avatar> Avatar::ParseObj(std::string_view text, const ReadOptions& options) {
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(
      std::shared_ptr<const Data> data,
      ToData(ImportObj(absl::string_view(text.data(), text.size()), {}, options), Format::kObj,
             options));
  return Avatar(std::move(data));
}

Format Avatar::format() const { return data_->format; }
absl::Span<const float> Avatar::vertices() const { return data_->geometry.vertices; }
absl::Span<const uint32_t> Avatar::triangles() const { return data_->geometry.triangles; }
const std::vector<MeshInfo>& Avatar::meshes() const { return data_->meshes; }
const std::vector<std::string>& Avatar::warnings() const { return data_->warnings; }

absl::Status Avatar::CheckOutput(const std::filesystem::path& file) const {
  const std::string extension = Extension(file);
  if (extension == ".glb" || extension == ".gltf") return absl::OkStatus();
  if (extension != ".vrm") {
    return absl::InvalidArgumentError(absl::StrCat("cannot write a file with the extension \"",
                                                   extension, "\", only .glb, .gltf and .vrm"));
  }
  if (data_->document.is_vrm()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "cannot write a .vrm file, since the file that was read is no VRM avatar: write a .glb");
}

absl::StatusOr<WriteReport> Avatar::Write(const std::filesystem::path& file,
                                          absl::Span<const MorphTarget> targets,
                                          const WriteOptions& options) const {
  BLENDWIRE_AVATAR_RETURN_IF_ERROR(CheckOutput(file));
  Document document = data_->document;
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(
      WriteReport report,
      AddMorphTargets(document, data_->geometry, targets, options, data_->limits));
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(
      const std::string bytes, Extension(file) == ".gltf" ? ToGltf(document) : ToGlb(document));
  BLENDWIRE_AVATAR_RETURN_IF_ERROR(system::WriteFileAtomically(file, bytes));
  report.file_bytes = bytes.size();
  return report;
}

}  // namespace blendwire::avatar
