// The greylist on disk: STATE/grey/tmp/LOCAL/REMOTE/RECIPIENT, an empty file whose modification time is the first call. ls(1)
// shows it, touch(1) and rm(1) change it. What others could have put there (links, directories of theirs) is refused.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hh"
#include "grey/decide.hh"
#include "grey/names.hh"
#include "sys/tree.hh"

namespace greylag::grey {

// STATE/grey, made when it is not there (STATE is not).
Result<sys::Directory> open_grey(const std::string& state);

struct Record {
    RecordName name;
    std::int64_t first_call = 0;  // milliseconds since 1970
};

class Records {
public:
    explicit Records(std::string state) : state_(std::move(state)) {}

    // Notes a call and decides it. Whatever keeps the records from being read or written is an error: the caller lets the
    // mail pass.
    Result<Decision> call(const RecordName& name, std::int64_t now, const Limits& limits) const;

    // All records, a directory of a remote network at a time: `each` gets them and says whether to go on. What is no record is
    // left out and named in `odd`.
    template <class Each>
    Result<void> walk(Each each, std::vector<std::string>& odd) const {
        const auto locals = TRY(names({}));
        for (const auto& local : locals)
            for (const auto& remote : names_or_odd({local}, odd)) {
                auto records = of_network(local, remote, odd);
                if (!records.empty() && !each(std::move(records))) return {};
            }
        return {};
    }

    // Takes out what can no longer pass: older than max, or from a future that a moved clock has left behind; and directories
    // that became empty. In small steps with a rest between them, so that deliveries go on meanwhile.
    struct Expired {
        std::uint64_t records = 0, kept = 0;
    };
    Result<Expired> expire(std::int64_t now, const Limits& limits, std::vector<std::string>& odd) const;

private:
    Result<Decision> try_call(const RecordName& name, std::int64_t now, const Limits& limits) const;
    Result<sys::Directory> open(const std::vector<std::string>& below) const;
    Result<std::vector<std::string>> names(const std::vector<std::string>& below) const;
    std::vector<std::string> names_or_odd(const std::vector<std::string>& below, std::vector<std::string>& odd) const;
    std::vector<Record> of_network(const std::string& local, const std::string& remote, std::vector<std::string>& odd) const;
    std::string state_;
};

}  // namespace greylag::grey
