#include "base/base64.hh"
#include "tests/support/sasl.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;
using sasl::User;

namespace {

std::string keys() { return base::base64_encode(std::string(32, 'k')) + "," + base::base64_encode(std::string(32, 's')); }
std::string scram_word(std::string_view iterations) {
    return " scram-sha-256=" + std::string(iterations) + "," + base::base64_encode("salt") + "," + keys();
}

}  // namespace

TEST_CASE("users: what is written is read") {
    const User joe = user_with("joe@example.org", "secret");
    const std::string file = "# users\n\n" + sasl::show_user(joe) + "\r\n  ann argon2id=$argon2id$x \n";
    const auto found = sasl::find_user(file, "joe@example.org");
    REQUIRE(found.has_value());
    CHECK(found->argon2id == joe.argon2id);
    REQUIRE(found->scram.has_value());
    CHECK(found->scram->iterations == 4096);
    CHECK(found->scram->salt == joe.scram->salt);
    CHECK(found->scram->stored_key == joe.scram->stored_key);
    CHECK(found->scram->server_key == joe.scram->server_key);
    CHECK(found->cram_md5 == "secret");
    CHECK(sasl::find_user(file, "ann")->argon2id == "$argon2id$x");
    CHECK_FALSE(sasl::find_user(file, "Joe@example.org").has_value());
    CHECK_FALSE(sasl::find_user(file, "joe").has_value());
    CHECK_FALSE(sasl::find_user(file, "#").has_value());
    CHECK_FALSE(sasl::find_user(file, "").has_value());
    CHECK_FALSE(sasl::find_user("", "joe").has_value());
    CHECK(sasl::first_user(file)->name == "joe@example.org");
    CHECK(sasl::check_users(file).empty());
}

TEST_CASE("users: faults name their line, and never a password") {
    const auto fault = [](const std::string& line) {
        const auto faults = sasl::check_users("# one\n" + line + "\n");
        return faults.size() == 1 ? std::to_string(faults[0].line) + ": " + faults[0].what : "";
    };
    CHECK(fault("joe hunter2") == "2: a word that is none of argon2id= scram-sha-256= cram-md5=");
    CHECK(fault("joe argon2id=hunter2") == "2: argon2id= takes what libsodium writes");
    CHECK(fault("joe cram-md5=hunter!") == "2: cram-md5= takes the password in base64");
    for (const char* iterations : {"4095", "x", "", "-1", "1000001", "99999999999999"})
        CHECK(fault("joe" + scram_word(iterations)) == "2: scram-sha-256= takes iterations,salt,storedkey,serverkey");
    CHECK(fault("joe" + scram_word("4096") + ",more") == "2: scram-sha-256= takes iterations,salt,storedkey,serverkey");
    CHECK(fault("joe scram-sha-256=4096,,,") == "2: scram-sha-256= takes iterations,salt,storedkey,serverkey");
    CHECK(fault("jo\x01"
                "e") == "2: 'jo\\x01e' cannot be a user's name");
    CHECK(fault("joe" + scram_word("4096") + "\njoe" + scram_word("4096")) == "3: 'joe' stands twice; the first line counts");
    CHECK(fault("joe" + scram_word("4096")).empty());
    CHECK(fault("joe").empty());
}

TEST_CASE("users: a broken line is passed over for the next that can be read") {
    CHECK(sasl::find_user("joe hunter2\njoe argon2id=$argon2id$x\n", "joe")->argon2id == "$argon2id$x");
}

TEST_CASE("users: what somebody could use") {
    CHECK_FALSE(sasl::usable("").password);
    CHECK(sasl::usable("joe argon2id=$argon2id$x").password);
    CHECK_FALSE(sasl::usable("joe argon2id=$argon2id$x").scram);
    CHECK(sasl::usable("joe" + scram_word("4096")).scram);
    CHECK(sasl::usable("a b\njoe cram-md5=YQ==").cram_md5);
}

TEST_CASE("users: one line changes, the others stay as they are") {
    User joe;
    joe.name = "joe";
    joe.cram_md5 = "a";
    const std::string line = "joe cram-md5=YQ==\n";
    CHECK(sasl::replace_user("", "joe", joe) == line);
    CHECK(sasl::replace_user("# x\n", "joe", joe) == "# x\n" + line);
    CHECK(sasl::replace_user("ann  odd \t words", "joe", joe) == "ann  odd \t words\n" + line);
    CHECK(sasl::replace_user("ann\njoe old\n\nbob\njoe older\n", "joe", joe) == "ann\n" + line + "\nbob\n");
    CHECK(sasl::replace_user("ann\njoe old\n#joe\n", "joe", std::nullopt) == "ann\n#joe\n");
    CHECK(sasl::replace_user("ann\n", "joe", std::nullopt) == "ann\n");
}

TEST_CASE("users: names") {
    for (const char* good : {"joe", "joe@example.org", "j\xc3\xb6rg", "a=b,c"}) CHECK(sasl::is_user_name(good));
    for (const char* bad : {"", "a b", "a\tb", "#a", "a\nb", "\xff"}) CHECK_FALSE(sasl::is_user_name(bad));
}
