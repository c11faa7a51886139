// smtpd.conf(5), conf/smtpd.conf and the table say the same, both ways.
#include <set>
#include <vector>

#include "base/ascii.hh"
#include "tests/support/test.hh"
#include "tests/unit/config_support.hh"

using namespace greylag;

namespace {

// Page and sample name the directories of a default build; this build may have others.
std::string with_build_directories(std::string text) {
    const auto replace_all = [&](std::string_view from, std::string_view to) {
        for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
            text.replace(at, from.size(), to);
    };
    replace_all("/usr/local/libexec/greylag", GREYLAG_LIBEXEC);
    replace_all("/var/lib/greylag", GREYLAG_STATE);
    replace_all("= /etc/greylag", "= " GREYLAG_SYSCONFDIR "/greylag");
    replace_all("Pq /etc/greylag", "Pq " GREYLAG_SYSCONFDIR "/greylag");
    return text;
}

struct Item {
    std::string section, key, value;
};

// ".Ss [section] title" and ".It Ic key = Ar type Pq default" of the page.
std::vector<Item> items_of_page(const std::string& page) {
    std::vector<Item> items;
    std::string section;
    for (std::string_view line : base::split(page, '\n')) {
        if (line.starts_with(".Ss [")) section = line.substr(5, line.find(']') - 5);
        if (line.starts_with(".Sh ")) section.clear();
        constexpr std::string_view mark = ".It Ic ";
        if (!line.starts_with(mark)) continue;
        const std::string_view rest = line.substr(mark.size());
        const std::size_t with_default = rest.find(" Pq ");
        items.push_back({section, std::string(rest.substr(0, rest.find(' '))),
                         with_default == std::string_view::npos ? "" : std::string(rest.substr(with_default + 4))});
    }
    return items;
}

// "#key = value" lines become settings.
std::string uncommented(const std::string& sample) {
    std::string text;
    for (std::string_view line : base::split(sample, '\n')) {
        if (line.size() > 1 && line[0] == '#' && base::is_lower(line[1])) line.remove_prefix(1);
        text += std::string(line) + "\n";
    }
    return text;
}

}  // namespace

TEST_CASE("smtpd.conf(5) has every setting, once, with its default, and no other") {
    const std::string page = with_build_directories(test::tree_file("man/smtpd.conf.5"));
    REQUIRE(!page.empty());
    std::set<std::string> on_page;
    for (const Item& item : items_of_page(page)) {
        CAPTURE(item.key);
        CHECK(on_page.insert(item.section + "." + item.key).second);
        const auto loaded = test::parsed("[" + item.section + "]\n" + item.key + " = " + item.value + "\n");
        CHECK(loaded.faults.empty());
        CHECK(test::same(loaded.settings, config::defaults()));
    }
    for (const auto& setting : config::all_settings()) {
        CHECK_MESSAGE(on_page.contains(std::string(setting.section) + "." + std::string(setting.key)), setting.key);
    }
    CHECK(on_page.size() == config::all_settings().size());
}

TEST_CASE("conf/smtpd.conf is valid as shipped: greylisting on, a user named, all else the defaults") {
    const std::string sample = test::tree_file("conf/smtpd.conf");
    REQUIRE(!sample.empty());
    CHECK(test::faults(sample).empty());
    config::Settings expected = config::defaults();
    expected.smtpd.greylist = true;
    expected.smtpd.user = "greylag";
    CHECK(config::as_file(test::parsed(sample).settings) == config::as_file(expected));
}

TEST_CASE("conf/smtpd.conf shows every setting with its default") {
    const std::string everything = uncommented(with_build_directories(test::tree_file("conf/smtpd.conf")));
    CHECK(test::faults(everything).empty());
    const auto loaded = test::parsed(everything);
    config::Settings expected = config::defaults();
    expected.smtpd.greylist = true;
    expected.smtpd.user = "greylag";
    CHECK(config::as_file(loaded.settings) == config::as_file(expected));
    CHECK(loaded.sources.size() == config::all_settings().size());
}

TEST_CASE("the examples of smtpd.conf(5) are valid") {
    const std::string page = test::tree_file("man/smtpd.conf.5");
    const std::size_t examples = page.find(".Sh EXAMPLES");
    REQUIRE(examples != std::string::npos);
    constexpr std::string_view begin = ".Bd -literal -offset indent\n", end = ".Ed\n";
    unsigned count = 0;
    for (std::size_t at = page.find(begin, examples); at != std::string::npos; at = page.find(begin, at)) {
        at += begin.size();
        CHECK(test::faults(page.substr(at, page.find(end, at) - at)).empty());
        ++count;
    }
    CHECK(count == 3);
}
