#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The few things that all modes need.
namespace scad::init {

// "scad-init: <what>: <text of errno>" on standard error; returns `status`.
int complain(const std::string& what, int status = 1);
[[noreturn]] void die(const std::string& what);

// A decimal number without sign; empty when it is none or too large.
std::optional<std::uint64_t> parse_number(std::string_view text);

// Closes all descriptors from 3 on but these (close_range(2)).
void close_all_but(std::vector<int> kept);

// All of `size` bytes; EINTR and short writes are handled.
bool write_whole(int fd, const void* data, std::size_t size);

// Everything up to end of file.
bool read_whole(int fd, std::string& text, std::size_t limit);

} // namespace scad::init
