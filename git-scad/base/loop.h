#pragma once

#include <chrono>
#include <functional>
#include <initializer_list>
#include <memory>

namespace scad::base {

// An event loop of one thread (Asio inside; it appears in no header). Handlers run one after another in
// run(). A handler that throws ends run() with that exception.
class Loop {
  public:
    Loop();
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    // A registration; destroying it ends it (its handler is never called afterwards, also when called from
    // within the handler).
    class Registration {
      public:
        virtual ~Registration() = default;
    };
    using Handle = std::unique_ptr<Registration>;

    // Calls `handler` each time `fd` is readable (writable), level-triggered: until it is drained or the
    // handle is gone. Does not own, change or close the descriptor.
    Handle on_readable(int fd, std::function<void()> handler);
    Handle on_writable(int fd, std::function<void()> handler);
    // Once after `delay`; with `every` again and again.
    Handle after(std::chrono::milliseconds delay, std::function<void()> handler);
    Handle every(std::chrono::milliseconds period, std::function<void()> handler);
    // These signals arrive here instead of at their handlers (signalfd(2); they are blocked in this thread).
    Handle on_signals(std::initializer_list<int> numbers, std::function<void(int)> handler);
    // Runs soon, from the loop. The one function that another thread may call.
    void post(std::function<void()> handler);

    void run(); // until stop(), or nothing is registered any more
    void stop();

  private:
    struct Implementation;
    std::shared_ptr<Implementation>
        implementation_; // handles that outlive the loop ask whether it is still there
};

} // namespace scad::base
