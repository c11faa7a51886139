// maildir(5): a message is written under tmp, made safe, and becomes visible by one rename. Promises that nothing cut short is
// ever in new/; knows nothing of users. Whatever fails here is a fault of this machine, so the sender is asked to try again.
#include "mailbox/maildir.hh"

#include <cerrno>

#include "sys/clock.hh"
#include "sys/durable.hh"
#include "sys/file.hh"
#include "sys/host.hh"
#include "sys/io.hh"

namespace greylag::mailbox {
namespace {

std::string unique_name() {
    const sys::Stamp s = sys::stamp();
    std::string name = std::to_string(s.seconds) + ".M" + std::to_string(s.micros) + "P" + std::to_string(s.process) + "Q" +
                       std::to_string(s.count) + ".";
    std::string host = sys::host_name();
    host.resize(std::min<std::size_t>(host.size(), 128));
    // '/' would be a path and ':' begins the flags of cur/: maildir(5) names these spellings.
    for (const char c : host) name += c == '/' ? "\\057" : c == ':' ? "\\072" : std::string(1, c);
    return name;
}

std::unexpected<Error> ours_to_cure(Error error) {
    error.lasting = Lasting::temporary;
    return std::unexpected(std::move(error));
}

Result<void> make_maildir(const std::string& maildir) {
    // tmp comes last: who can write there finds the other two.
    for (const char* part : {"cur", "new", "tmp"}) {
        if (auto made = sys::make_directories(sys::join(maildir, part), 0700); !made)
            return ours_to_cure(std::move(made).error());
    }
    return {};
}

}  // namespace

Result<Draft> Draft::write(const std::string& maildir, std::string_view prefix, int message, std::uint64_t offset) {
    const std::string fresh = sys::join(maildir, "new");
    if (const auto there = sys::status(fresh); !there) {
        if (auto made = make_maildir(maildir); !made) return std::unexpected(std::move(made).error());
    }
    const std::string name = unique_name();
    const std::string path = sys::join(sys::join(maildir, "tmp"), name);
    auto file = sys::create_file(path, 0600);
    if (!file && file.error().kind == Kind::not_found) {
        if (auto made = make_maildir(maildir); !made) return std::unexpected(std::move(made).error());
        file = sys::create_file(path, 0600);
    }
    if (!file) return ours_to_cure(std::move(file).error());

    Draft draft(maildir, name);
    auto written = sys::write_all(file->get(), prefix, sys::Deadline::never());
    if (written) written = sys::copy_from(message, offset, file->get());
    if (written) written = sys::finish(*std::move(file));
    if (!written) {
        Error error = std::move(written).error();
        error.text = path + ": " + error.text;
        return ours_to_cure(std::move(error));
    }
    return draft;
}

Draft::Draft(Draft&& other) noexcept
    : maildir_(std::move(other.maildir_)), name_(std::move(other.name_)), there_(std::exchange(other.there_, false)) {}

Draft::~Draft() {
    if (there_) sys::remove_file(sys::join(sys::join(maildir_, "tmp"), name_));
}

Result<std::string> Draft::commit() {
    const std::string fresh = sys::join(maildir_, "new");
    auto moved = sys::move_file(sys::join(sys::join(maildir_, "tmp"), name_), sys::join(fresh, name_));
    if (!moved) return ours_to_cure(std::move(moved).error());
    there_ = false;
    // Visible is not yet durable. When this fails the message may come twice, which beats not coming at all.
    auto safe = sys::fsync_directory(fresh);
    if (!safe) return ours_to_cure(std::move(safe).error());
    return name_;
}

}  // namespace greylag::mailbox
