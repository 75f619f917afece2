#include "smw/base/error.hpp"

#include "smw/base/thrown.hpp"

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>
#include <string>

namespace smw {
namespace {

constexpr Code kCodes[] = {
    Code::BadRequest,       Code::NotFound,    Code::Conflict,  Code::Gone,
    Code::Unauthorized,     Code::Forbidden,   Code::TooLarge,  Code::UnsupportedMediaType,
    Code::DeadlineExceeded, Code::Unavailable, Code::Cancelled, Code::Internal};

TEST(Error, EachCodeHasAReasonOfItsOwn) {
    std::set<std::string_view> names;
    for (const Code code : kCodes) {
        EXPECT_FALSE(to_string(code).empty());
        EXPECT_TRUE(names.insert(to_string(code)).second) << to_string(code);
    }
}

TEST(Error, CodesAreTheApisOwnWords) {
    EXPECT_EQ(to_string(Code::NotFound), "NotFound");
    EXPECT_EQ(to_string(Code::TooLarge), "RequestEntityTooLarge");
    EXPECT_EQ(to_string(Code::DeadlineExceeded), "Timeout");
    EXPECT_EQ(to_string(Code::Internal), "InternalError");
}

TEST(Error, AnnotatePutsWhatWasAttemptedInFront) {
    const Error error{Code::Gone, "too old"};
    const Expected<int> annotated = annotate(error, "listing pods");
    ASSERT_FALSE(annotated);
    EXPECT_EQ(annotated.error().code, Code::Gone);
    EXPECT_EQ(annotated.error().message, "listing pods: too old");
    EXPECT_EQ(annotated.error().where.line(), error.where.line());
}

TEST(Error, WhateverWasThrownHasWords) {
    EXPECT_EQ(describe_thrown(std::make_exception_ptr(std::runtime_error{"boom"})), "boom");
    EXPECT_EQ(describe_thrown(std::make_exception_ptr(7)), "something that is no std::exception");
}

TEST(Error, ComparesByWhatItSays) {
    const Error here{Code::Gone, "x"};
    const Error there{Code::Gone, "x"};
    EXPECT_EQ(here, there);
    EXPECT_FALSE(here == (Error{Code::NotFound, "x"}));
    EXPECT_FALSE(here == (Error{Code::Gone, "y"}));
}

TEST(Error, FailRemembersWhereItWasMade) {
    const Expected<int> failed = fail(Code::Internal, "x");
    ASSERT_FALSE(failed);
    EXPECT_NE(std::string{failed.error().where.file_name()}.find("error_test.cpp"),
              std::string::npos);
}

}  // namespace
}  // namespace smw
