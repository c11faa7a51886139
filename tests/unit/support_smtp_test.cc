#include "tests/support/fake_smtp.hh"

#include "tests/support/stream.hh"
#include "tests/support/test.hh"

using namespace greylag;
using namespace greylag::test;

namespace {
Stream client_of(const FakeSmtp& server) { return must(connect_to("127.0.0.1", server.port())); }
}  // namespace

TEST_CASE("support: the fake server takes a message and keeps it") {
    const FakeSmtp server({FakeSmtp::accepting({"PIPELINING", "SIZE 1000"})});
    Stream client = client_of(server);
    CHECK(client.reply() == "220 fake.example ESMTP\r\n");
    CHECK(client.ask("EHLO me") == "250-fake.example\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250 ENHANCEDSTATUSCODES\r\n");
    must(client.send("mail from:<a@b.c>\r\nRCPT TO:<d@e.f>\r\nDATA\r\n"));
    CHECK(client.reply() == "250 2.1.0 ok\r\n");
    CHECK(client.reply() == "250 2.1.5 ok\r\n");
    CHECK(client.reply() == "354 go on\r\n");
    CHECK(client.ask("x\r\n..y\r\n.") == "250 2.0.0 kept\r\n");
    CHECK(client.ask("QUIT") == "221 2.0.0 bye\r\n");
    CHECK(must(client.read_to_end()) == "");
    const Heard heard = server.wait_for(0);
    CHECK(heard.fault == "");
    REQUIRE(heard.bodies.size() == 1);
    CHECK(heard.bodies[0] == "x\r\n..y\r\n.\r\n");
    CHECK(heard.bytes.starts_with("EHLO me\r\nmail from:<a@b.c>\r\n"));
    CHECK(heard.bytes.ends_with(".\r\nQUIT\r\n"));
}

TEST_CASE("support: the fake server says what it did not expect") {
    const FakeSmtp server({{Turn::say("220 x\r\n"), Turn::on("EHLO", "250 x\r\n")}});
    Stream client = client_of(server);
    CHECK(client.reply() == "220 x\r\n");
    CHECK(client.ask("HELO me") == "<the stream ended>");
    CHECK(server.wait_for(0).fault == "expected EHLO, got \"HELO me\"");
    client_of(server).close();
    CHECK(server.wait_for(1).fault == "the client left");
}

TEST_CASE("support: the fake server closes, resets, stalls, counts octets and drips") {
    const FakeSmtp server({{Turn::say("421 go away\r\n").and_close()},
                           {Turn::say("220 x\r\n"), Turn::on("NOOP", "").and_reset()},
                           {Turn::say("220 x\r\n").and_stall()},
                           {Turn::on("BDAT", ""), Turn::take(5, "250 five\r\n").slowly()}});
    Stream first = client_of(server);
    CHECK(must(first.read_to_end()) == "421 go away\r\n");
    Stream second = client_of(server);
    CHECK(second.reply() == "220 x\r\n");
    CHECK(second.ask("NOOP").starts_with("<"));
    Stream third = client_of(server);
    CHECK(third.reply() == "220 x\r\n");
    must(third.send("anything\r\n"));
    CHECK(!must(third.wait_readable(sys::Deadline::in(base::Millis(30)))));
    third.close();
    CHECK(server.wait_for(2).bytes == "anything\r\n");
    CHECK(server.wait_for(2).fault == "");
    Stream fourth = client_of(server);
    must(fourth.send("BDAT 5 LAST\r\nab\ncd"));
    CHECK(fourth.reply() == "250 five\r\n");
    fourth.close();
    CHECK(server.wait_for(3).fault == "");
    CHECK(server.heard().size() == 4);
}

TEST_CASE("support: a fake server goes away in the middle") {
    Stream client;
    {
        const FakeSmtp server({{Turn::say("220 x\r\n"), Turn::on("EHLO", "")}});
        client = client_of(server);
        CHECK(client.reply() == "220 x\r\n");
    }
    CHECK(must(client.read_to_end()) == "");
}
