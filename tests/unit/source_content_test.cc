// What smtp-source sends: numbered recipients, sizes, headers, files, templates.
#include "cmd/smtp-source/content.hh"

#include <cmath>

#include "tests/support/must.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::source;

namespace {

Order basic() {
    Order o;
    o.sender = "a@x";
    o.recipient = "b@y";
    o.name = "h";
    return o;
}

std::string recipients(const Order& order, unsigned messages) {
    std::string out;
    for (unsigned m = 0; m < messages; ++m)
        for (unsigned i = 0; i < order.recipients; ++i) {
            append_recipient(out, order, m, i);
            out += ' ';
        }
    return out;
}

std::string written(const Order& order, const Files& files, std::uint64_t message = 0, unsigned session = 0) {
    const Content content = test::must(Content::make(order, files));
    Dice dice(1);
    Buffer buffer;
    const Octets o = content.write(message, session, dice, buffer);
    return buffer.head + std::string(o.body) + std::string(o.rest) + std::string(o.end);
}

std::string crlf(std::string_view text) { return with_crlf(text); }

constexpr const char* old_text = "La de da de da 1.\nLa de da de da 2.\nLa de da de da 3.\nLa de da de da 4.\n";

}  // namespace

TEST_CASE("smtp-source: recipients numbered in both forms") {
    struct Row {
        bool all;
        unsigned recipients;
        Numbering form;
        const char* two_messages;
    };
    // The prefix rows are what Postfix 3.7 puts on the wire.
    const Row rows[] = {
        {false, 1, Numbering::prefix, "b@y b@y "},
        {false, 2, Numbering::prefix, "2b@y b@y 2b@y b@y "},
        {false, 3, Numbering::prefix, "3b@y 2b@y b@y 3b@y 2b@y b@y "},
        {true, 1, Numbering::prefix, "1b@y 2b@y "},
        {true, 2, Numbering::prefix, "1b@y 2b@y 3b@y 4b@y "},
        {false, 1, Numbering::suffix, "b@y b@y "},
        {false, 2, Numbering::suffix, "b0@y b1@y b2@y b3@y "},
        {true, 1, Numbering::suffix, "b0@y b1@y "},
        {true, 2, Numbering::suffix, "b0@y b1@y b2@y b3@y "},
    };
    for (const auto& row : rows) {
        Order o = basic();
        o.number_all = row.all;
        o.recipients = row.recipients;
        o.numbering = row.form;
        CHECK(recipients(o, 2) == row.two_messages);
    }
    Order bare = basic();
    bare.recipient = "postmaster";
    bare.number_all = true;
    bare.numbering = Numbering::suffix;
    CHECK(recipients(bare, 2) == "postmaster0 postmaster1 ");
}

TEST_CASE("smtp-source: the header and the old text") {
    const Files files{"", "", "Sun, 22 Nov 2026 05:08:44 +0000", "abcd"};
    Order o = basic();
    const std::string head = "From: <a@x>\nTo: <b@y>\nDate: Sun, 22 Nov 2026 05:08:44 +0000\nMessage-Id: <abcd.0.10@h>\n";
    CHECK(written(o, files, 16) == crlf(head + "\n" + old_text));
    o.subject = "hello";
    CHECK(written(o, files, 16) == crlf(head + "Subject: hello\n\n" + old_text));
    o.old_mode = true;
    CHECK(written(o, files) == crlf(old_text));
    o = basic();
    o.numbering = Numbering::suffix;
    o.number_all = true;
    o.recipients = 2;
    CHECK(written(o, files, 3).find("To: <b7@y>\r\n") != std::string::npos);
}

TEST_CASE("smtp-source: -l gives so many octets, in the lines of the original") {
    for (const unsigned length : {1U, 2U, 78U, 79U, 80U, 81U, 159U, 160U, 161U, 162U, 200U, 1000U, 100'000U}) {
        Order o = basic();
        o.old_mode = true;
        o.length = length;
        const std::string body = written(o, {});
        INFO(length);
        CHECK(body.size() == length + 2);
        CHECK(body.ends_with("\r\n"));
        std::size_t longest = 0, from = 0;
        for (std::size_t end = 0; (end = body.find("\r\n", from)) != std::string::npos; from = end + 2)
            longest = std::max(longest, end - from);
        CHECK(longest <= 80);
        CHECK(from == body.size());
    }
    Order o = basic();
    o.old_mode = true;
    o.length = 200;
    const std::string x(77, 'X');
    CHECK(written(o, {}) == "1" + x + "\r\n2" + x + "\r\n" + std::string(40, 'X') + "\r\n");
    o.length = 80;
    CHECK(written(o, {}) == std::string(80, 'X') + "\r\n");
}

TEST_CASE("smtp-source: -F sends a file, whatever its line ends, dots doubled") {
    Order o = basic();
    o.file = "f";
    CHECK(written(o, {"A: b\n\n.dot\nx", "", "", ""}) == "A: b\r\n\r\n..dot\r\nx\r\n");
    CHECK(written(o, {"A: b\r\n\r\n..\r\n", "", "", ""}) == "A: b\r\n\r\n...\r\n");
    CHECK(written(o, {"", "", "", ""}) == "");
    o.bdat = true;
    CHECK(written(o, {"A: b\n\n.dot\nx", "", "", ""}) == "A: b\r\n\r\n.dot\r\nx\r\n");
}

TEST_CASE("smtp-source: templates") {
    Order o = basic();
    o.template_file = "t";
    o.length = 3;
    o.recipients = 2;
    const auto made = [&](const char* form) { return written(o, {"", form, "D", "id"}, 4, 2); };
    CHECK(made("n %{number} s %{session}\n") == "n 5 s 3\r\n");
    CHECK(made("%{from} %{to} %{date} <%{id}>") == "a@x b@y D <id.2.4@h>\r\n");
    CHECK(made("100%% of %{payload}.\n.%{number}") == "100% of XXX\r\n..\r\n..5\r\n");
    CHECK(made("50% off") == "50% off\r\n");
    CHECK(made("%{random}").size() > 4);
    for (const char* bad : {"%{nothing}", "%{", "%{number", "%{}"}) {
        INFO(bad);
        CHECK_FALSE(Content::make(o, {"", bad, "D", "id"}).has_value());
    }
}

TEST_CASE("smtp-source: sizes are what their model says") {
    struct Row {
        const char* model;
        double mean, off;
        std::uint64_t least, most;
    };
    const Row rows[] = {
        {"10k", 10'000, 0, 10'000, 10'000},
        {"0", 0, 0, 0, 0},
        {"1k-3k", 2000, 30, 1000, 3000},
        {"exp:10k", 10'000, 400, 0, 80'000},
        {"normal:10k,1k", 10'000, 50, 2000, 18'000},
        {"list:1k*9,101k*1", 11'000, 800, 1000, 101'000},
        {"7-7", 7, 0, 7, 7},
    };
    for (const auto& row : rows) {
        INFO(row.model);
        const SizeModel model = test::must(SizeModel::parse(row.model));
        CHECK(model.largest() == row.most);
        Dice dice(42);
        constexpr int draws = 20'000;
        double sum = 0;
        for (int i = 0; i < draws; ++i) {
            const auto size = model.draw(dice);
            CHECK((size >= row.least && size <= row.most));
            sum += static_cast<double>(size);
        }
        CHECK(std::abs(sum / draws - row.mean) <= row.off);
    }
    for (const char* bad :
         {"", "k", "1x", "3k-1k", "exp:", "normal:5", "list:", "list:1*0", "list:1,,2", "2000G", "-5", "even:1"}) {
        INFO(bad);
        CHECK_FALSE(SizeModel::parse(bad).has_value());
    }
}
