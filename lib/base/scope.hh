// Runs a function at the end of a scope: for the C resources that have no class of their own.
#pragma once
#include <utility>

namespace greylag::base {

template <class F>
class Scope {
public:
    explicit Scope(F f) : f_(std::move(f)) {}
    ~Scope() { f_(); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

private:
    F f_;
};

}  // namespace greylag::base
