// SPDX-License-Identifier: Apache-2.0
//
// Avatar files: one list of vertices and triangles out of a file, and the file again with named
// morph targets (shape keys) added.
//
//   auto avatar = blendwire::avatar::Avatar::Read("head.vrm", {});
//   if (!avatar.ok()) return avatar.status();
//   … predict offsets for avatar->vertices() …
//   absl::StatusOr<WriteReport> report =
//       avatar->Write("out.vrm", {{"vrc.v_aa", offsets}}, {});
//
// What can be read: .glb, .gltf (with .bin files or data-URIs), .vrm (0.x and 1.0), .obj. What can
// be written: .glb, .gltf (everything embedded), and .vrm if a .vrm was read.
//
// A glTF file is edited as JSON, with new binary data appended to its buffer; nothing is decoded
// that does not have to be. So everything else in the file survives as it was: materials, textures,
// skins, animations, extensions (unknown ones too), VRM blend shapes and expressions, extras. A
// library that reads a file into a model of its own and writes that model, such as tinygltf, would
// re-encode the images and drop what it does not know.
//
// Coordinates: those of the contract (metres, right-handed, Z up, the face looks along -Y, so the
// avatar's own left is +X). glTF and VRM 1.0 are Y up and face +Z; VRM 0.x faces -Z.

#ifndef BLENDWIRE_AVATAR_AVATAR_H_
#define BLENDWIRE_AVATAR_AVATAR_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace blendwire::avatar {

// Beyond these a file is refused with INVALID_ARGUMENT, before memory is taken for it.
struct Limits {
  uint64_t max_file_bytes = uint64_t{1} << 30;  // of each file that is read
  uint64_t max_vertices = 4'000'000;            // as stored, before equal ones are joined
  uint64_t max_triangles = 8'000'000;
  uint64_t max_numbers_read = 500'000'000;  // decoded from all accessors together
};

struct ReadOptions {
  // Which meshes take part, by the name of the mesh or of a node that shows it. Empty: all triangle
  // meshes in the default scene (the first scene if none is the default).
  std::vector<std::string> meshes;

  // Vertices that a file format had to split (texture seams, hard edges) are one vertex again in
  // vertices(), so that an offset cannot tear the surface there. Joined are vertices of one mesh
  // with the same position, skin weights and existing morph targets whose normals do not point away
  // from each other: touching lips stay apart.
  bool join_split_vertices = true;

  // What one unit of a Wavefront .obj file is, in metres; such a file cannot say it.
  double obj_unit = 1.0;

  Limits limits;
};

// One mesh that takes part.
struct MeshInfo {
  std::string name;         // the mesh's, else its node's, else "meshes[3]"
  size_t first_vertex = 0;  // in Avatar::vertices()
  size_t vertex_count = 0;
  size_t triangle_count = 0;
  std::vector<std::string> morph_targets;  // those in the file
};

// A morph target to be added.
struct MorphTarget {
  std::string name;  // UTF-8
  // [N,3] flattened, in the order of Avatar::vertices(): metres, contract axes.
  absl::Span<const float> offsets;
};

struct WriteOptions {
  // A mesh gets the new targets (all of them, so that a name means the same everywhere) if any of
  // them moves any of its vertices by more than this, in metres; a shorter offset is written as 0.
  float min_displacement = 1e-6f;

  // A target of that name that is in the file: replaced in its place, or kept as it is.
  bool overwrite = false;

  // Normals of the targets too, for primitives that have normals: each is turned as the smooth
  // surface under it is.
  bool normals = true;
};

struct MeshReport {
  std::string name;
  std::vector<std::string> added;
  std::vector<std::string> replaced;
  std::vector<std::string> kept;  // were in the file, and not to be overwritten
};

struct WriteReport {
  std::vector<MeshReport> meshes;  // those that some target moves
  uint64_t file_bytes = 0;
};

enum class Format { kGltf, kVrm0, kVrm1, kObj };

// A file that was read. Copies are cheap and share it; safe for use from several threads at once.
class Avatar {
 public:
  // NOT_FOUND: no such file, or a mesh name that it does not have; INVALID_ARGUMENT: what is wrong
  // in the file, and where; PERMISSION_DENIED: it may not be read.
  static absl::StatusOr<Avatar> Read(const std::filesystem::path& file, const ReadOptions& options);

  // As Read, from memory: a .glb or .vrm, or the JSON of a .gltf without external buffers.
  static absl::StatusOr<Avatar> Parse(std::string bytes, const ReadOptions& options);
  // As Read, from the text of an .obj file; its materials are left out.
  static absl::StatusOr<Avatar> ParseObj(std::string_view text, const ReadOptions& options);

  Format format() const;

  // [N,3] flattened; in the file's order, as far as no split vertices are joined.
  absl::Span<const float> vertices() const;
  // [T,3] flattened, counter-clockwise seen from outside; none has a vertex twice.
  absl::Span<const uint32_t> triangles() const;
  const std::vector<MeshInfo>& meshes() const;

  // What a user should know, e.g. that a mesh is shown twice and only its first place was used.
  const std::vector<std::string>& warnings() const;

  // Whether `file`'s extension is one that this avatar can be written with; INVALID_ARGUMENT if
  // not.
  absl::Status CheckOutput(const std::filesystem::path& file) const;

  // Writes the avatar with `targets` to `file`, whose extension (.glb, .gltf, .vrm) says in which
  // form; the file read may be overwritten. On an error there is no new file, and an old one stays.
  // INVALID_ARGUMENT: a target's name is empty, not UTF-8 or there twice, its offsets have the
  // wrong size or a NaN or infinity; an extension that cannot be written.
  absl::StatusOr<WriteReport> Write(const std::filesystem::path& file,
                                    absl::Span<const MorphTarget> targets,
                                    const WriteOptions& options) const;

  struct Data;

 private:
  explicit Avatar(std::shared_ptr<const Data> data);
  std::shared_ptr<const Data> data_;
};

}  // namespace blendwire::avatar

#endif  // BLENDWIRE_AVATAR_AVATAR_H_
