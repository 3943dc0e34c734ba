"""A second application, written by hand and not by the CDK: a bookshop in three stacks that import from each other.

Its templates say the same things in other ways than the first application's: rules inside groups and towards addresses,
IPv6, `Fn::Sub`, `Fn::GetAtt` as a text, lists that are exported as one text, parameters, a mapping, a condition.
"""
