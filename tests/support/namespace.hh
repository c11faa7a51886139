// A network of the test's own, without root: a user, network and mount namespace with only a loopback in it (Linux). Real
// ports below 1024, many source addresses, an /etc/resolv.conf of its own; nothing outside is touched.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "tests/support/must.hh"

namespace greylag::test {

struct Network {
    std::vector<std::string> addresses;  // on lo besides 127.0.0.1 and ::1: "198.51.100.10", "2001:db8::11"
    std::vector<std::string> routes;     // whole networks as local, usable as source addresses: "192.0.2.0/24"
    std::string resolver;                // /etc/resolv.conf names this address; empty: /etc/resolv.conf stays
};

// Why this machine cannot do it ("unprivileged user namespaces are forbidden"), or empty. For SKIP.
std::string namespace_forbidden();

// Runs `work` in a process of its own inside such a network. What it returns (empty: all is well), the text of what it
// throws, or how the process died: CHECK(in_namespace(...) == ""). Doctest's asserts do not reach from there to here.
std::string in_namespace(const Network& network, const std::function<std::string()>& work, sys::Deadline deadline = soon());

// In there we are root, whom no file is closed to. From here on it is for the programs we start, root's name or not.
void forget_rights_to_files();

}  // namespace greylag::test
