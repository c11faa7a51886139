// A domain name as SMTP carries it (RFC 5321 4.1.2 with underscores, RFC 6531 for U-labels).
#pragma once
#include <string>
#include <string_view>

#include "base/result.hh"

namespace greylag::mail {

class Domain {
public:
    enum class Allow { ascii, utf8 };

    // Labels of letters, digits, '-' and '_', 1 to 63 octets, not beginning or ending with '-'; 255 octets in all; one
    // trailing dot is dropped. With Allow::utf8, labels may hold valid UTF-8. Numbers alone are a domain only in syntax.
    static Result<Domain> parse(std::string_view text, Allow allow = Allow::ascii);

    const std::string& text() const { return text_; }  // as given, without trailing dot
    std::string key() const;                           // lower case: what is compared and looked up
    bool has_dot() const;
    // This name or a name below `parent`: a.b.example is below b.example and example, never xb.example.
    bool is_within(const Domain& parent) const;

    // Case-blind.
    friend bool operator==(const Domain& a, const Domain& b);

private:
    explicit Domain(std::string text) : text_(std::move(text)) {}
    std::string text_;
};

// "example.org" (that name alone) or "*.example.org" (it and every name below it): a line of `ourdomains`.
class DomainPattern {
public:
    static Result<DomainPattern> parse(std::string_view text);
    bool matches(const Domain& domain) const;
    std::string text() const;

private:
    DomainPattern(Domain domain, bool below) : domain_(std::move(domain)), below_(below) {}
    Domain domain_;
    bool below_;
};

}  // namespace greylag::mail
