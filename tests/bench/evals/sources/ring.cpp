#include <stdexcept>
#include <vector>

// A buffer that forgets its oldest value when it is full.
template <typename Value>
class Ring {
 public:
  explicit Ring(std::size_t size) : values_(size) {}

  void push(const Value& value) {
    values_[next_] = value;
    next_ = (next_ + 1) % values_.size();
    if (count_ < values_.size()) {
      ++count_;
    }
  }

  const Value& oldest() const {
    if (count_ == 0) {
      throw std::out_of_range("empty");
    }
    return values_[(next_ + values_.size() - count_) % values_.size()];
  }

 private:
  std::vector<Value> values_;
  std::size_t next_ = 0;
  std::size_t count_ = 0;
};
