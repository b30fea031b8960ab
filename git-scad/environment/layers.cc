#include "environment/layers.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <utility>

namespace scad::environment {

namespace fs = std::filesystem;

namespace {

constexpr int layer_version = 1;

constexpr std::array<std::pair<VenvPart, const char*>, 4> part_names = {{{VenvPart::none, "none"},
                                                                         {VenvPart::part, "part"},
                                                                         {VenvPart::whole, "whole"},
                                                                         {VenvPart::gone, "gone"}}};

const char* part_name(VenvPart part) {
    for (const auto& [value, name] : part_names)
        if (value == part) return name;
    return "none";
}

fs::path renewed_file(const base::Paths& paths, const std::string& id) {
    return paths.environments() / "renewed" / id;
}

} // namespace

fs::path layers_directory(const base::Paths& paths) { return paths.environments() / "layers"; }

fs::path layer_directory(const base::Paths& paths, const std::string& id) {
    return layers_directory(paths) / id;
}

bool is_id(const std::string& id) {
    return !id.empty() && std::all_of(id.begin(), id.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    });
}

std::optional<Layer> read_layer(const base::Paths& paths, const std::string& id) {
    if (!is_id(id)) return std::nullopt;
    const auto document =
        base::read_document_if_exists(layer_directory(paths, id) / "layer.json", layer_version);
    if (!document) return std::nullopt;
    Layer layer;
    layer.id = id;
    layer.title = base::get_string(*document, "title");
    layer.opt = base::get_bool(*document, "opt");
    const std::string venv = base::get_string(*document, "venv");
    for (const auto& [value, name] : part_names)
        if (venv == name) layer.venv = value;
    layer.work = base::get_strings(*document, "work");
    if (document->contains("made")) layer.made = base::get_strings(*document, "made");
    layer.size = static_cast<std::uint64_t>(base::get_int(*document, "size"));
    layer.milliseconds = base::get_int(*document, "milliseconds");
    return layer;
}

void write_layer(const fs::path& directory, const Layer& layer) {
    base::write_document(directory / "layer.json", {{"version", layer_version},
                                                    {"title", layer.title},
                                                    {"opt", layer.opt},
                                                    {"venv", part_name(layer.venv)},
                                                    {"work", layer.work},
                                                    {"made", layer.made},
                                                    {"size", layer.size},
                                                    {"milliseconds", layer.milliseconds}});
}

VenvPart venv_part(const fs::path& opt) {
    const base::Fd top = base::open_file(opt, O_RDONLY | O_DIRECTORY);
    struct stat status {};
    if (::fstatat(top.get(), "venv", &status, AT_SYMLINK_NOFOLLOW) != 0) return VenvPart::none;
    if (!S_ISDIR(status.st_mode)) return VenvPart::gone; // a whiteout, or something else in its place
    const auto venv = base::open_beneath(top.get(), "venv", O_RDONLY | O_DIRECTORY);
    if (!venv) throw fatal("cannot open '{}'", (opt / "venv").native());
    // Set on a directory that took the place of another (Documentation/filesystems/overlayfs.rst).
    char value = 0;
    const bool opaque = ::fgetxattr(venv->get(), "user.overlay.opaque", &value, 1) == 1 && value == 'y';
    return opaque ? VenvPart::whole : VenvPart::part;
}

Parts stack(const std::vector<Layer>& layers, std::vector<Tool> tools) {
    Parts parts;
    parts.tools = std::move(tools);
    bool more_venv = true;
    for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
        if (layer->opt) parts.opt.push_back(layer->id);
        if (more_venv && (layer->venv == VenvPart::part || layer->venv == VenvPart::whole))
            parts.venv.push_back(layer->id);
        more_venv = more_venv && layer->venv != VenvPart::whole && layer->venv != VenvPart::gone;
        for (const std::string& repo : layer->work) parts.work[repo].push_back(layer->id);
        parts.made.insert(parts.made.end(), layer->made.begin(), layer->made.end());
    }
    return parts;
}

std::string newest_result(const base::Paths& paths, const std::string& id) {
    const auto text = base::read_if_exists(renewed_file(paths, id), 100);
    if (!text) return id;
    std::string result(base::trim(*text));
    return is_id(result) ? result : id;
}

void renew(const base::Paths& paths, const std::string& id, const std::string& result) {
    base::make_directories(renewed_file(paths, id).parent_path());
    base::replace_file(renewed_file(paths, id), result + "\n");
}

} // namespace scad::environment
