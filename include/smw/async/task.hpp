#pragma once
// Task<T>: a coroutine on an Asio executor. Parameters by value, unless the caller awaits in the
// same statement. CONTRIBUTING.md lists the coroutine forms that g++ 12.2 miscompiles.

#include <boost/asio/awaitable.hpp>

#include <utility>  // before awaitable.hpp: it uses std::exchange

namespace smw {

template <class T>
using Task = boost::asio::awaitable<T>;

}  // namespace smw
