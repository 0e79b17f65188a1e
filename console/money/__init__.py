"""Purses: what may be spent, by whom and in which time; money is held before a call goes out and
settled when it has ended. On the page a purse is called a budget."""
