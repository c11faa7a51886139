#include "mailbox/resolve.hh"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "tests/support/must.hh"
#include "tests/support/scratch.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::mailbox;

namespace {

struct Town {
    test::Scratch dir;
    Rules rules;

    explicit Town(std::initializer_list<const char*> folders = {}, std::string_view aliases = {}) {
        rules.maildir = dir.at("mail/%d/%u/Maildir");
        rules.alias_file = dir.at("aliases");
        rules.domain = "Example.org";
        rules.ours.push_back(test::must(mail::DomainPattern::parse("*.sub.example")));
        dir.make_directory("mail");
        for (const char* folder : folders) dir.make_directory("mail/" + std::string(folder));
        if (!aliases.empty()) dir.write("aliases", aliases);
    }

    // "alice@example.org=example.org/alice" for a folder, "remote:x@y" for another host, "none:", "later:" or "config:" and
    // the sentence for an error.
    std::string to(std::string_view address) const {
        const auto who = mail::Mailbox::parse(address, mail::Domain::Allow::utf8, mail::Mailbox::Unqualified::allowed);
        if (!who) return "unparsed";
        return show(resolve(rules, *who));
    }
    std::string show(const Result<std::vector<Target>>& targets) const {
        if (!targets) {
            const bool later = targets.error().lasting == Lasting::temporary;
            const std::string kind = targets.error().kind == Kind::config ? "config" : later ? "later" : "none";
            CHECK((targets.error().kind == Kind::not_found && !later) == (kind == "none"));
            return kind + ": " + targets.error().text;
        }
        std::string text;
        for (const auto& target : *targets) {
            if (!text.empty()) text += " ";
            if (const auto* remote = std::get_if<mail::Mailbox>(&target)) {
                text += "remote:" + remote->text();
            } else {
                const auto& box = std::get<LocalBox>(target);
                std::string folder = box.maildir;
                CHECK(folder.starts_with(dir.at("mail/")));
                if (folder.starts_with(dir.at("mail/"))) folder.erase(0, dir.at("mail/").size());
                text += box.delivered_to + "=" + folder;
            }
        }
        return text;
    }
};

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("resolve: users have folders, whatever the case") {
    const Town t({"example.org/alice", "example.org/bob+work", "example.org/bob", "a.sub.example/alice"});
    struct {
        const char *who, *where;
    } const cases[] = {
        {"alice@example.org", "alice@example.org=example.org/alice/Maildir"},
        {"ALICE@EXAMPLE.ORG", "alice@example.org=example.org/alice/Maildir"},
        {"alice", "alice@example.org=example.org/alice/Maildir"},
        {"alice+tag@example.org", "alice+tag@example.org=example.org/alice/Maildir"},
        {"alice+a+b@example.org", "alice+a+b@example.org=example.org/alice/Maildir"},
        {"bob+work@example.org", "bob+work@example.org=example.org/bob+work/Maildir"},
        {"bob+home@example.org", "bob+home@example.org=example.org/bob/Maildir"},
        {"alice@A.Sub.Example", "alice@a.sub.example=a.sub.example/alice/Maildir"},
        {"alice@elsewhere.example", "remote:alice@elsewhere.example"},
        {"alice@[192.0.2.1]", "remote:alice@[192.0.2.1]"},
        {"alice@b.sub.example", "none: alice@b.sub.example: no such user"},
        {"carol@example.org", "none: carol@example.org: no such user"},
        {"+alice@example.org", "none: +alice@example.org: no such user"},
    };
    for (const auto& c : cases) {
        CAPTURE(c.who);
        CHECK(t.to(c.who) == c.where);
    }
}

TEST_CASE("resolve: a hostile name never leaves its folder") {
    const Town t({"example.org/alice", "example.org/%2Fetc", "evil"});
    t.dir.make_directory("evil");
    for (const char* who :
         {"../../evil@example.org", "../evil@example.org", "..", ".", "\"..\"@example.org", "\".\"@example.org",
          "\"\"@example.org", "a/b@example.org", "\"alice/../../evil\"@example.org", "\"alice/.\"@example.org",
          "%2Fetc@example.org", "%d@example.org", "%u@example.org", "~root@example.org", "\"alice \"@example.org"}) {
        CAPTURE(who);
        const std::string where = t.to(who);
        CHECK((where == "unparsed" || where.starts_with("none: ")));
    }
    CHECK(t.to("/etc@example.org") == "/etc@example.org=example.org/%2Fetc/Maildir");
    CHECK(t.to(std::string(64, 'x') + "@example.org").starts_with("none: "));
    CHECK(t.to("\"" + std::string(60, '/') + "\"@example.org").starts_with("none: "));

    Town far;
    far.rules.ours.push_back(test::must(mail::DomainPattern::parse("*.example.net")));
    std::string domain;
    for (int i = 0; i < 4; ++i) domain += std::string(58, 'y') + ".";
    CHECK(far.to("alice@" + domain + "example.net").starts_with("none: "));
}

TEST_CASE("resolve: a file where a folder should be is no user") {
    const Town t({"example.org"});
    t.dir.write("mail/example.org/alice", "x");
    CHECK(t.to("alice").starts_with("none: "));
    t.dir.write("mail/a.sub.example", "x");
    CHECK(t.to("alice@a.sub.example").starts_with("none: "));
}

TEST_CASE("resolve: what cannot be looked at is not missing") {
    Town t({"example.org"});
    SUBCASE("a circle of links") {
        REQUIRE(::symlink("alice", t.dir.at("mail/example.org/alice").c_str()) == 0);
        CHECK(t.to("alice").starts_with("later: "));
    }
    SUBCASE("a directory without rights") {
        t.dir.make_directory("mail/example.org/alice");
        REQUIRE(::chmod(t.dir.at("mail/example.org").c_str(), 0) == 0);
        const bool root = ::geteuid() == 0;  // whom no mode bit stops
        if (root) REQUIRE(::seteuid(65534) == 0);
        const std::string where = t.to("alice");
        if (root) REQUIRE(::seteuid(0) == 0);
        CHECK(where.starts_with("later: "));
        REQUIRE(::chmod(t.dir.at("mail/example.org").c_str(), 0700) == 0);
        CHECK(t.to("alice").starts_with("alice@"));
    }
    SUBCASE("the alias file is a directory") {
        t.dir.make_directory("aliases");
        CHECK(t.to("alice").starts_with("later: "));
    }
    SUBCASE("the mail directory is not mounted") {
        t.rules.maildir = t.dir.at("gone/%d/%u/Maildir");
        CHECK(has(t.to("alice"), "later: "));
        CHECK(has(t.to("alice"), "is not there"));
        t.dir.write("aliases", "alice: bob@elsewhere.example\n");
        CHECK(t.to("alice") == "remote:bob@elsewhere.example");
    }
    SUBCASE("no template") {
        t.rules.maildir = "";
        CHECK(t.to("alice").starts_with("config: "));
        t.rules.maildir = "relative/%u/Maildir";
        CHECK(t.to("alice").starts_with("config: "));
    }
}

TEST_CASE("resolve: templates of other shapes") {
    Town t({"alice", "box"});
    t.rules.maildir = t.dir.at("mail/%u/");
    CHECK(t.to("alice") == "alice@example.org=alice");  // the user stands last: its own folder tells
    CHECK(t.to("bob").starts_with("none: "));
    t.rules.maildir = t.dir.at("mail/box/Maildir");
    CHECK(t.to("anyone") == "anyone@example.org=box/Maildir");  // one box for the house
    t.dir.make_directory("mail/100%/alice");
    t.rules.maildir = t.dir.at("mail/100%%/%u/M");
    CHECK(t.to("alice") == "alice@example.org=100%/alice/M");
}

TEST_CASE("resolve: aliases") {
    const Town t({"example.org/alice", "example.org/bob"},
                 "info: alice, Bob, alice@EXAMPLE.org, carol@elsewhere.example, carol@elsewhere.example\n"
                 "alice: nobody\n"
                 "deep: deeper\ndeeper: deepest\ndeepest: bob\n"
                 "round: about\nabout: round\n"
                 "self: self\n"
                 "loop: loop, alice\n"
                 "half: alice, gone\n"
                 "void: gone, gone\n"
                 "tagged: bob+x\n"
                 "owner+x: alice\n"
                 "abroad@a.sub.example: bob\n"
                 "pipe: alice, |/bin/sh\n"
                 "via: pipe\n");
    struct {
        const char *who, *where;
    } const cases[] = {
        {"INFO@example.org",
         "alice@example.org=example.org/alice/Maildir bob@example.org=example.org/bob/Maildir remote:carol@elsewhere.example"},
        {"alice", "alice@example.org=example.org/alice/Maildir"},  // a folder comes first
        {"deep", "bob@example.org=example.org/bob/Maildir"},
        {"deep+tag", "bob@example.org=example.org/bob/Maildir"},
        {"loop", "alice@example.org=example.org/alice/Maildir"},
        {"half", "alice@example.org=example.org/alice/Maildir"},
        {"void", "none: void: no such user"},
        {"tagged", "bob+x@example.org=example.org/bob/Maildir"},
        {"owner+x", "alice@example.org=example.org/alice/Maildir"},
        {"owner", "none: owner: no such user"},
        {"abroad@a.sub.example", "bob@example.org=example.org/bob/Maildir"},
        {"abroad", "none: abroad: no such user"},
        {"info@b.sub.example",
         "alice@example.org=example.org/alice/Maildir bob@example.org=example.org/bob/Maildir remote:carol@elsewhere.example"},
    };
    for (const auto& c : cases) {
        CAPTURE(c.who);
        CHECK(t.to(c.who) == c.where);
    }
    for (const char* who : {"round", "about", "self"}) {
        CAPTURE(who);
        CHECK(has(t.to(who), "lead in a circle"));
        CHECK(t.to(who).starts_with("config: "));
    }
    for (const char* who : {"pipe", "via"}) {
        CAPTURE(who);
        CHECK(t.to(who).starts_with("config: "));
        CHECK(has(t.to(who), "'|/bin/sh' of 'pipe' starts a program: refused"));
    }
}

TEST_CASE("resolve: a chain may be long but not endless, and a wide list is linear") {
    std::string chain;
    for (int i = 0; i < 30; ++i) chain += "a" + std::to_string(i) + ": a" + std::to_string(i + 1) + "\n";
    chain += "a30: alice\n";
    CHECK(Town({"example.org/alice"}, chain).to("a0") == "alice@example.org=example.org/alice/Maildir");
    chain.clear();
    for (int i = 0; i < 20000; ++i) chain += "a" + std::to_string(i) + ": a" + std::to_string(i + 1) + "\n";
    CHECK(has(Town({"example.org/alice"}, chain).to("a0"), "nest deeper than"));
    // Every name leads to every other: without memory of what was seen this does not end.
    std::string dense;
    for (int i = 0; i < 30; ++i) {
        dense += "a" + std::to_string(i) + ": alice";
        for (int k = 0; k < 30; ++k) dense += ", a" + std::to_string(k);
        dense += "\n";
    }
    CHECK(Town({"example.org/alice"}, dense).to("a7") == "alice@example.org=example.org/alice/Maildir");
}

TEST_CASE("resolve: catchall") {
    Town t({"example.org/alice"}, "info: gone\n");
    t.rules.catchall = "Alice";
    CHECK(t.to("nobody") == "alice@example.org=example.org/alice/Maildir");
    CHECK(t.to("info") == "alice@example.org=example.org/alice/Maildir");
    CHECK(t.to("x@elsewhere.example") == "remote:x@elsewhere.example");
    t.rules.catchall = "all@elsewhere.example";
    CHECK(t.to("nobody") == "remote:all@elsewhere.example");
    t.rules.catchall = "gone";
    CHECK(t.to("nobody").starts_with("config: [mailer] catchall"));
    t.rules.catchall = "not an address";
    CHECK(t.to("nobody").starts_with("config: [mailer] catchall"));
}

TEST_CASE("resolve: postmaster and abuse always exist") {
    Town t({"example.org/alice", "example.org/postmaster"});
    const std::string alice = "alice@example.org=example.org/alice/Maildir";
    t.rules.postmaster = "alice";
    for (const char* who : {"postmaster", "POSTMASTER@example.org", "abuse@a.sub.example", "Abuse"}) {
        CAPTURE(who);
        CHECK(t.to(who) == alice);
    }
    t.rules.postmaster = "postmaster";
    CHECK(t.to("postmaster") == "postmaster@example.org=example.org/postmaster/Maildir");
    CHECK(t.to("abuse") == "postmaster@example.org=example.org/postmaster/Maildir");
    t.rules.postmaster = "";
    CHECK(t.to("postmaster") == "postmaster@example.org=example.org/postmaster/Maildir");
    CHECK(t.to("abuse").starts_with("config: "));
    t.rules.postmaster = "gone";
    CHECK(t.to("abuse").starts_with("config: "));
    t.rules.catchall = "alice";
    CHECK(t.to("abuse") == alice);
    t.rules.postmaster = "pm@elsewhere.example";
    CHECK(t.to("abuse") == "remote:pm@elsewhere.example");
    CHECK(t.to("postmaster@elsewhere.example") == "remote:postmaster@elsewhere.example");
}
