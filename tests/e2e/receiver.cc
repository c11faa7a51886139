#include "tests/e2e/receiver.hh"

#include "tests/support/test.hh"

namespace greylag::test {

void Receiver::expect(const std::string& reply, std::string_view beginning) {
    CHECK_MESSAGE(reply.starts_with(beginning), reply);
}

}  // namespace greylag::test
