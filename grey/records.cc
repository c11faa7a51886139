#include "grey/records.hh"

#include <algorithm>
#include <cerrno>

#include "sys/file.hh"
#include "sys/io.hh"

namespace greylag::grey {

namespace {

// ext4 makes creating dear for minutes after a mass of deletions: few at a time, and time for others between.
constexpr unsigned step = 256;
constexpr base::Millis rest{20};

std::int64_t millis(const sys::Entry& entry) { return entry.modified / 1'000'000; }

// A hard link is another file under our name: its time is not a call, and touching it would touch that file.
bool is_record(const sys::Directory& in, const sys::Entry& entry) {
    return entry.what == sys::Entry::What::regular && entry.links == 1 && in.owns(entry);
}

}  // namespace

Result<sys::Directory> open_grey(const std::string& state) {
    auto there = sys::Directory::open_own(sys::join(state, "grey"));
    if (there || there.error().code != ENOENT) return there;
    auto top = sys::Directory::open(state);
    if (!top) return std::unexpected(std::move(top).error());
    return top->enter_or_make("grey");
}

Result<Decision> Records::try_call(const RecordName& name, std::int64_t now, const Limits& limits) const {
    const auto grey = TRY(open_grey(state_));
    std::string record = "tmp";
    TRY(grey.ensure(record));
    for (const auto& folder : {name.local, name.remote}) TRY(grey.ensure(record.append("/").append(folder)));
    record.append("/").append(name.recipient);
    if (TRY(grey.create_empty(record, 0600))) return decide(now, std::nullopt, limits);
    const auto found = TRY(grey.look(record));
    if (!is_record(grey, found))
        return base::fail(Kind::denied, sys::join(grey.path(), record) + ": expected a file of our own with one name");
    const Decision decision = decide(now, millis(found), limits);
    if (decision.call == Call::first_again) TRY(grey.touch(record));
    return decision;
}

Result<Decision> Records::call(const RecordName& name, std::int64_t now, const Limits& limits) const {
    // Whoever expires may take an empty directory away between two of our steps.
    auto decision = try_call(name, now, limits);
    for (int more = 0; more < 3 && !decision && decision.error().code == ENOENT; ++more) decision = try_call(name, now, limits);
    return decision;
}

Result<sys::Directory> Records::open(const std::vector<std::string>& below) const {
    auto here = TRY(sys::Directory::open(state_));
    here = TRY(here.enter("grey"));
    here = TRY(here.enter("tmp"));
    for (const auto& name : below) here = TRY(here.enter(name));
    return here;
}

Result<std::vector<std::string>> Records::names(const std::vector<std::string>& below) const {
    const auto directory = open(below);
    if (!directory && directory.error().kind == Kind::not_found) return std::vector<std::string>{};
    if (!directory) return std::unexpected(directory.error());
    auto all = TRY(directory->names());
    std::sort(all.begin(), all.end());
    return all;
}

std::vector<std::string> Records::names_or_odd(const std::vector<std::string>& below, std::vector<std::string>& odd) const {
    auto all = names(below);
    if (all) return *std::move(all);
    odd.push_back(all.error().text);
    return {};
}

std::vector<Record> Records::of_network(const std::string& local, const std::string& remote,
                                        std::vector<std::string>& odd) const {
    std::vector<Record> all;
    const auto directory = open({local, remote});
    if (!directory) {
        if (directory.error().kind != Kind::not_found) odd.push_back(directory.error().text);
        return all;
    }
    for (auto& recipient : names_or_odd({local, remote}, odd)) {
        const auto found = directory->look(recipient);
        if (!found) continue;  // gone since
        if (is_record(*directory, *found))
            all.push_back({{local, remote, std::move(recipient)}, millis(*found)});
        else
            odd.push_back(sys::join(directory->path(), recipient) + ": expected a file of our own with one name");
    }
    return all;
}

Result<Records::Expired> Records::expire(std::int64_t now, const Limits& limits, std::vector<std::string>& odd) const {
    Expired done;
    const auto locals = TRY(names({}));
    for (const auto& local : locals) {
        const auto networks = names_or_odd({local}, odd);
        for (const auto& remote : networks) {
            const auto records = of_network(local, remote, odd);
            const auto directory = open({local, remote});
            if (!directory) continue;
            std::uint64_t here = 0;
            for (const auto& record : records) {
                if (decide(now, record.first_call, limits).call != Call::first_again || !directory->remove(record.name.recipient))
                    continue;
                ++here;
                if (++done.records % step == 0) sys::sleep_watching(-1, rest);
            }
            done.kept += records.size() - here;
            if (here == records.size())
                if (const auto above = open({local})) (void)above->remove_directory(remote);
        }
        if (const auto above = open({})) (void)above->remove_directory(local);
    }
    return done;
}

}  // namespace greylag::grey
