//! A sentence becomes a rule; a rule and answers over time become the life of an alert. Pure.
