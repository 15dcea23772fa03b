"""What bench/compare is made of: contenders, jobs, generators, rounds, figures and reports.

Standard library only. docs/benchmarking.md says what is measured and why in this way.
"""
