#include "engine/cdi.h"

#include "base/error.h"
#include "base/file.h"

#include <algorithm>
#include <map>
#include <yaml-cpp/yaml.h>

namespace scad::engine {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t most_bytes = std::size_t{4} << 20; // of one file

std::string text_at(const YAML::Node& node, const char* key) {
    const auto value = node[key];
    return value && value.IsScalar() ? value.Scalar() : std::string();
}

std::vector<std::string> texts_at(const YAML::Node& node, const char* key) {
    std::vector<std::string> texts;
    const auto values = node[key];
    if (!values) return texts;
    for (const auto& value : values) texts.push_back(value.as<std::string>());
    return texts;
}

CdiEdits edits_of(const YAML::Node& node) {
    CdiEdits edits;
    if (!node) return edits;
    for (const auto& entry : texts_at(node, "env")) {
        const auto equals = entry.find('=');
        if (equals != std::string::npos)
            edits.variables.emplace_back(entry.substr(0, equals), entry.substr(equals + 1));
    }
    for (const auto& value : node["deviceNodes"]) {
        CdiNode one{text_at(value, "path"), text_at(value, "hostPath")};
        if (one.host_path.empty()) one.host_path = one.path;
        edits.nodes.push_back(std::move(one));
    }
    for (const auto& value : node["mounts"])
        edits.mounts.push_back({text_at(value, "hostPath"), text_at(value, "containerPath"), false});
    for (const auto& value : node["hooks"])
        edits.hooks.push_back({text_at(value, "hookName"), text_at(value, "path"), texts_at(value, "args")});
    return edits;
}

template <class T> void append(std::vector<T>& to, const std::vector<T>& more) {
    for (const auto& one : more)
        if (std::find(to.begin(), to.end(), one) == to.end()) to.push_back(one);
}

void append(CdiEdits& to, const CdiEdits& more) {
    append(to.variables, more.variables);
    append(to.nodes, more.nodes);
    append(to.mounts, more.mounts);
    append(to.hooks, more.hooks);
}

} // namespace

CdiSpec parse_cdi(const std::string& text, const fs::path& file) {
    try {
        const auto document = YAML::Load(text);
        CdiSpec spec;
        spec.file = file;
        if (document.IsMap()) spec.kind = text_at(document, "kind");
        if (spec.kind.empty() || text_at(document, "cdiVersion").empty())
            throw fatal("'{}' is no CDI specification: it has no 'cdiVersion' and 'kind'", file.native());
        spec.edits = edits_of(document["containerEdits"]);
        for (const auto& value : document["devices"])
            spec.devices.push_back({text_at(value, "name"), edits_of(value["containerEdits"])});
        return spec;
    } catch (const YAML::Exception& error) {
        throw fatal("{}:{}:{}: {}", file.native(), error.mark.line + 1, error.mark.column + 1, error.msg);
    }
}

std::vector<CdiSpec> read_cdi(const std::vector<fs::path>& directories, std::vector<std::string>& problems) {
    std::vector<CdiSpec> specs;
    for (const auto& directory : directories) {
        std::vector<fs::path> files;
        std::error_code error;
        for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
             entry.increment(error)) {
            const auto extension = entry->path().extension();
            if (extension == ".json" || extension == ".yaml") files.push_back(entry->path());
        }
        std::sort(files.begin(), files.end());
        for (const auto& file : files) {
            try {
                specs.push_back(parse_cdi(base::read_file(file, most_bytes), file));
            } catch (const Error& refused) {
                problems.push_back(refused.message);
            }
        }
    }
    return specs;
}

CdiEdits gpu_edits(const std::vector<CdiSpec>& specs) {
    // By kind and name; a later one takes the place of an earlier one.
    std::map<std::string, std::map<std::string, std::pair<const CdiSpec*, const CdiDevice*>>> kinds;
    for (const auto& spec : specs) {
        if (!spec.kind.ends_with("/gpu")) continue;
        for (const auto& device : spec.devices) kinds[spec.kind][device.name] = {&spec, &device};
    }
    CdiEdits edits;
    for (const auto& [kind, devices] : kinds) {
        const auto all = devices.find("all");
        for (auto one = devices.begin(); one != devices.end(); ++one) {
            if (all != devices.end() && one != all) continue;
            append(edits, one->second.first->edits);
            append(edits, one->second.second->edits);
        }
    }
    return edits;
}

} // namespace scad::engine
