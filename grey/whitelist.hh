// The whitelist: the administrator's text file STATE/grey/whitelist and its compiled index beside it (grey/README.md). The text
// decides; the index only makes it quick, and whatever is wrong with it is cured by reading the text.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "grey/index.hh"
#include "grey/line.hh"
#include "grey/scan.hh"
#include "sys/tree.hh"

namespace greylag::grey {

class Whitelist {
public:
    explicit Whitelist(std::string state) : state_(std::move(state)) {}

    // A text that is not there is empty. An error means that nobody can say.
    Result<bool> contains(const mail::IpAddress& address);

    // Appends `line` ("...\n") in one write under the lock, unless `caller`, where there is one, is white already by then:
    // false.
    Result<bool> append(const std::optional<mail::IpAddress>& caller, std::string_view line);

    // Compiles the index anew; false: there is no text.
    Result<bool> rebuild();

    // The index is made when it does not fit the text, or when so much stands behind it that reading that costs.
    enum class Index : std::uint8_t { fresh, missing, stale, damaged };
    struct State {
        bool there = false;
        std::uint64_t size = 0;
        Index index = Index::missing;
        IndexHeader header;  // Index::fresh
    };
    Result<State> state() const;
    Result<void> refresh();  // rebuild() when it is not fresh or has a tail

    // Takes lines out; everything else stays as it is, octet by octet. How many went.
    struct Unwanted {
        std::optional<mail::Cidr> network;       // lines that name exactly this
        std::optional<std::int64_t> own_before;  // lines with our own mark from before this moment (seconds)
        bool matches(std::string_view line) const;
    };
    Result<std::uint64_t> take_out(const Unwanted& unwanted);

    // Calls each(number, line) for every line until it returns false. False: there is no text.
    template <class Each>
    Result<bool> each_line(Each each) const {
        auto text = TRY(open());
        if (!text) return false;
        LineScan scan(text->fd.get(), 0, text->entry.size, path());
        for (std::uint64_t number = 1;; ++number) {
            const auto line = TRY(scan.next());
            if (!line || !each(number, *line)) return true;
        }
    }

    std::string path() const { return state_ + "/grey/whitelist"; }
    // "whitelist:12: expected an address ...": lines that the last compilation could not read, and how many more.
    std::vector<std::string> take_complaints() { return std::exchange(complaints_, {}); }

private:
    static constexpr const char* text_name = "whitelist";
    static constexpr const char* index_name = "whitelist.idx";
    struct Text {
        sys::Directory directory;
        sys::Fd fd;
        sys::Entry entry;
    };
    struct OpenIndex {
        Index state = Index::missing;
        sys::Fd fd;
        IndexHeader header;
    };
    // What the index says: nothing, where it does not speak for this text; `behind`: no, but the text goes on behind `covered`.
    struct Asked {
        enum class What : std::uint8_t { nothing, yes, no, behind };
        What what = What::nothing;
        std::uint64_t covered = 0;
    };
    static Source source_of(const sys::Entry& text);
    Result<std::optional<sys::Directory>> open_directory() const;
    static Result<std::optional<Text>> open_text(sys::Directory directory);
    Result<std::optional<Text>> open() const;
    Result<Text> open_locked(sys::Deadline deadline, bool make) const;
    static OpenIndex open_index(const sys::Directory& directory, const sys::Entry& text, bool write, Block& room);
    static Asked ask_index(const sys::Directory& directory, const sys::Entry& text, const mail::IpAddress& address);
    std::optional<bool> answer(const Text& text, const Asked& asked, const mail::IpAddress& address) const;
    Result<bool> scan(const Text& text, std::uint64_t from, const mail::IpAddress& address) const;
    Result<bool> find(Text& text, const mail::IpAddress& address, bool locked);
    Result<void> compile(const Text& text);  // locked
    Result<void> read_text(const Text& text, Intervals& intervals, IndexHeader& header);
    std::string state_;
    std::vector<std::string> complaints_;
};

}  // namespace greylag::grey
