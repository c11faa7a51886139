// Secrets leave no copy behind: octets overwritten in a way that no compiler takes away. Pure rooms hold passwords, too, so
// this stands here and not with the cryptography.
#pragma once
#include <algorithm>
#include <string>
#include <utility>

namespace greylag::base {

inline void wipe(char* bytes, std::size_t size) {
    std::fill_n(bytes, size, '\0');
    asm volatile("" : : "r"(bytes) : "memory");  // read by somebody, for all the compiler knows
}
// The whole capacity: a string that was longer once holds its tail there.
inline void wipe(std::string& text) {
    text.resize(text.capacity());
    wipe(text.data(), text.size());
    text.clear();
}

// Text that is overwritten when its owner goes. Moves, never copies.
class Secret {
public:
    Secret() = default;
    explicit Secret(std::string text) : text_(text) { wipe(text); }  // a short one would stay where it is moved from
    ~Secret() { wipe(text_); }
    Secret(Secret&& other) noexcept { *this = std::move(other); }
    Secret& operator=(Secret&& other) noexcept {
        if (this == &other) return *this;
        wipe(text_);
        text_ = other.text_;
        wipe(other.text_);
        return *this;
    }
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;

    const std::string& get() const { return text_; }
    bool empty() const { return text_.empty(); }

private:
    std::string text_;
};

}  // namespace greylag::base
