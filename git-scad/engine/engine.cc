#include "engine/engine.h"

#include "base/error.h"
#include "engine/bubblewrap.h"

namespace scad::engine {

std::unique_ptr<Engine> make_engine(std::string_view name) {
    if (name == "bubblewrap") return make_bubblewrap();
    if (name == "podman" || name == "docker")
        throw fatal("this build of scad does not have the engine '{}' yet", name)
            .with_hint("git config --global scad.engine bubblewrap");
    throw fatal("no engine named '{}'", name).with_hint("there is one: bubblewrap");
}

} // namespace scad::engine
