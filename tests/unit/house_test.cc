#include "base/result.hh"
#include "tests/support/test.hh"

using namespace greylag;

namespace {
Result<int> half(int n) {
    if (n % 2 != 0) return base::fail(Kind::syntax, "odd");
    return n / 2;
}
Result<int> quarter(int n) { return TRY(half(TRY(half(n)))); }
}  // namespace

TEST_CASE("TRY hands the value on or returns the error") {
    CHECK(quarter(12).value() == 3);
    CHECK(quarter(6).error().text == "odd");
    CHECK(quarter(5).error().kind == Kind::syntax);
}
