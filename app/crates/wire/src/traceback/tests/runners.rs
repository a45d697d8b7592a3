//! What test runners print of a test that failed, and what they print beside it, which is no error.

use super::layouts::{check, said};

#[test]
fn minitest_and_test_unit() {
    check(&[
        (
            "Run options: --seed 4\n\n# Running:\n\nF\n\nFailure:\nCartTest#test_total [test/cart_test.rb:9]:\nExpected: 3\n  Actual: 2\n\n\nbin/rails test test/cart_test.rb:4\n\n\nFinished in 0.02s, 41.8 runs/s, 41.8 assertions/s.\n1 runs, 1 assertions, 1 failures, 0 errors, 0 skips\n",
            "Minitest::Assertion: Expected: 3\n  Actual: 2 | 1 | test/cart_test.rb:9 CartTest#test_total",
        ),
        (
            "  1) Failure:\nCartTest#test_0002_is empty at first [/srv/test/cart_test.rb:9]:\nCart must be empty.\nExpected: 1\n  Actual: 2\n\n4 runs, 2 assertions, 1 failures\n",
            "Minitest::Assertion: Cart must be empty.\nExpected: 1\n  Actual: 2 | 1 | /srv/test/cart_test.rb:9 CartTest#test_0002_is empty at first",
        ),
        (
            "  1) Failure:\nXTest#test_a [test/x_test.rb:3]:\nFailed assertion, no message given.\n",
            "Minitest::Assertion: Failed assertion, no message given. | 1 | test/x_test.rb:3 XTest#test_a",
        ),
        (
            "Failure:\nXTest#test_a [test/x_test.rb:31]:\n--- expected\n+++ actual\n@@ -1,3 +1,2 @@\n \"a\n-b\n+c\"\n\n\nbin/rails test test/x_test.rb:30\n",
            "Minitest::Assertion: --- expected\n+++ actual\n@@ -1,3 +1,2 @@\n \"a\n-b\n+c\" | 1 | test/x_test.rb:31 XTest#test_a",
        ),
        (
            "E\n\nError:\nCartTest#test_total:\nNoMethodError: undefined method `price' for nil:NilClass\n    app/models/cart.rb:7:in `total'\n    test/models/cart_test.rb:5:in `block in <class:CartTest>'\n\n\nbin/rails test test/models/cart_test.rb:4\n\nFinished in 0.2s\n",
            "NoMethodError: undefined method `price' for nil:NilClass | 2 | app/models/cart.rb:7 total",
        ),
        (
            "Error:\nATest#test_a:\nKeyError: key not found: :a\n    app/a.rb:3:in `fetch'\n    app/a.rb:3:in `a'\n    test/a_test.rb:4:in `test_a'\n\nbin/rails test test/a_test.rb:3\n\nF\n\nFailure:\nBTest#test_b [test/b_test.rb:8]:\nExpected nil to be truthy.\n\n\nbin/rails test test/b_test.rb:7\n\n",
            "Minitest::Assertion: Expected nil to be truthy. | 1 | test/b_test.rb:8 BTest#test_b",
        ),
        (
            "  1) Failure:\nXTest#test_b [test/x_test.rb:12]:\n[KeyError] exception expected, not\nClass: <ArgumentError>\nMessage: <\"bad\">\n---Backtrace---\n/srv/lib/x.rb:3:in `b'\ntest/x_test.rb:13:in `block in test_b'\n---------------\n",
            "Minitest::Assertion: [KeyError] exception expected, not\nClass: <ArgumentError>\nMessage: <\"bad\">\n---Backtrace---\n/srv/lib/x.rb:3:in `b'\ntest/x_test.rb:13:in `block in test_b'\n--------------- | 1 | test/x_test.rb:12 XTest#test_b",
        ),
        (
            "Loaded suite test/cart_test\nStarted\nF\n===============================================================================\nFailure: test_total(CartTest)\ntest/cart_test.rb:9:in `test_total'\n      6:   def test_total\n      7:     cart = Cart.new\n      8: \n  =>  9:     assert_equal(3, cart.total)\n     10:   end\n<3> expected but was\n<2>\n===============================================================================\n\nFinished in 0.01 seconds.\n",
            "Test::Unit::AssertionFailedError: <3> expected but was\n<2> | 1 | test/cart_test.rb:9 test_total",
        ),
        (
            "===============================================================================\nError: test_total(CartTest): NoMethodError: undefined method `price' for nil:NilClass\n/srv/lib/cart.rb:4:in `total'\n/srv/test/cart_test.rb:9:in `test_total'\n      6:   def test_total\n  =>  9:     cart.total\n===============================================================================\n",
            "NoMethodError: undefined method `price' for nil:NilClass | 2 | /srv/lib/cart.rb:4 total",
        ),
        (
            " FAIL CartTest#test_total (0.01s)\n        Expected: 3\n          Actual: 2\n        test/cart_test.rb:9:in `test_total'\n\nFinished in 0.02s\n",
            "Minitest::Assertion: Expected: 3\nActual: 2 | 1 | test/cart_test.rb:9 test_total",
        ),
        (
            "Error:\nCartTest#test_total:\nMinitest::UnexpectedError: KeyError: key not found: :sku\n    lib/cart.rb:3:in `fetch'\n    lib/cart.rb:3:in `total'\n    test/cart_test.rb:5:in `test_total'\n",
            "KeyError: key not found: :sku | 2 | lib/cart.rb:3 total",
        ),
    ]);
}

#[test]
fn rspec() {
    check(&[
        (
            "Failures:\n\n  1) Cart total adds\n     Failure/Error: expect(cart.total).to eq(3)\n     \n       expected: 3\n            got: 2\n     \n       (compared using ==)\n     # ./spec/cart_spec.rb:6:in `block (3 levels) in <top (required)>'\n\nFinished in 0.01 seconds (files took 0.1 seconds to load)\n1 example, 1 failure\n\nFailed examples:\n\nrspec ./spec/cart_spec.rb:4 # Cart total adds\n",
            "RSpec::Expectations::ExpectationNotMetError: expected: 3\ngot: 2\n\n(compared using ==) | 1 | spec/cart_spec.rb:6 block (3 levels) in <top (required)>",
        ),
        (
            "Failures:\n\n  1) Cart totals its lines\n     Failure/Error: @lines.fetch(:sku)\n\n     KeyError:\n       key not found: :sku\n     # ./lib/cart.rb:3:in `fetch'\n     # ./lib/cart.rb:3:in `total'\n     # ./spec/cart_spec.rb:5:in `block (2 levels) in <top (required)>'\n\nFailed examples:\n\nrspec ./spec/cart_spec.rb:4 # Cart totals its lines\n",
            "KeyError: key not found: :sku | 2 | lib/cart.rb:3 total",
        ),
        (
            "  1) Cart totals its lines\n     Failure/Error: raise Failed, \"no total\"\n\n     Shop::Failed:\n       no total\n     # ./lib/cart.rb:9:in 'Cart#total'\n     # ./spec/cart_spec.rb:5:in 'block (2 levels) in <top (required)>'\n     # ------------------\n     # --- Caused by: ---\n     # KeyError:\n     #   key not found: :sku\n     #   ./lib/cart.rb:3:in 'Hash#fetch'\n\nFinished in 0.01 seconds\n",
            "Shop::Failed: no total | 2 | lib/cart.rb:9 Cart#total",
        ),
        (
            "An error occurred while loading ./spec/cart_spec.rb.\nFailure/Error:\n  RSpec.describe Shop::Cart do\n    it \"totals\" do\n\nNameError:\n  uninitialized constant Shop::Cart\n# ./spec/cart_spec.rb:3:in `<top (required)>'\nNo examples found.\n\nFinished in 0.00003 seconds\n",
            "NameError: uninitialized constant Shop::Cart | 1 | spec/cart_spec.rb:3 <top (required)>",
        ),
        (
            "  1) Cart totals\n     Got 2 failures:\n\n     1.1) Failure/Error: expect(a).to eq 1\n\n            expected: 1\n                 got: 2\n\n            (compared using ==)\n          # ./spec/cart_spec.rb:6:in `block (2 levels) in <top (required)>'\n\n     1.2) Failure/Error: expect(b).to eq 3\n\n            expected: 3\n                 got: 4\n\n            (compared using ==)\n          # ./spec/cart_spec.rb:7:in `block (2 levels) in <top (required)>'\n\nFinished in 0.01 seconds\n",
            "RSpec::Expectations::ExpectationNotMetError: expected: 3\ngot: 4\n\n(compared using ==) | 1 | spec/cart_spec.rb:7 block (2 levels) in <top (required)>",
        ),
        (
            "An error occurred in a `before(:suite)` hook.\nFailure/Error: ActiveRecord::Base.connection\n\nPG::ConnectionBad:\n  could not connect to server\n# ./spec/rails_helper.rb:9:in `block (2 levels) in <top (required)>'\n\nFinished in 0.01 seconds\n",
            "PG::ConnectionBad: could not connect to server | 1 | spec/rails_helper.rb:9 block (2 levels) in <top (required)>",
        ),
        (
            "  1) Cart raises\n     Failure/Error: expect { Cart.new.total }.to raise_error(KeyError)\n\n       expected KeyError, got #<ArgumentError: bad> with backtrace:\n         # ./lib/cart.rb:3:in `total'\n         # ./spec/cart_spec.rb:5:in `block (3 levels) in <top (required)>'\n     # ./spec/cart_spec.rb:5:in `block (2 levels) in <top (required)>'\n\nFinished in 0.01 seconds\n",
            "RSpec::Expectations::ExpectationNotMetError: expected KeyError, got #<ArgumentError: bad> with backtrace: | 3 | lib/cart.rb:3 total",
        ),
        (
            "    Then the total is 4                   # features/step_definitions/cart_steps.rb:6\n      \n      expected: 4\n           got: 3\n      \n      (compared using ==)\n       (RSpec::Expectations::ExpectationNotMetError)\n      ./features/step_definitions/cart_steps.rb:7:in `/^the total is (\\d+)$/'\n      features/cart.feature:5:in `the total is 4'\n\nFailing Scenarios:\ncucumber features/cart.feature:3 # Scenario: total\n",
            "RSpec::Expectations::ExpectationNotMetError: expected: 4\ngot: 3\n\n(compared using ==) | 2 | features/step_definitions/cart_steps.rb:7 /^the total is (\\d+)$/",
        ),
        (
            "  1) Cart totals\n     Failure/Error: cart.price\n\n     NoMethodError:\n       undefined method 'price' for an instance of Shop::Cart\n     # ./lib/cart.rb:3:in 'Shop::Cart#total'\n     # ./spec/cart_spec.rb:5:in 'block (2 levels) in <top (required)>'\n",
            "NoMethodError: undefined method 'price' for an instance of Shop::Cart | 2 | lib/cart.rb:3 Shop::Cart#total",
        ),
    ]);
}

#[test]
fn ruby_itself() {
    check(&[
        (
            "bin/x.rb:3: syntax error, unexpected end-of-input, expecting `end'\n",
            "SyntaxError: syntax error, unexpected end-of-input, expecting `end' | 1 | bin/x.rb:3 ?",
        ),
        (
            "bin/x.rb:2: warning: mismatched indentations at 'end' with 'if' at 1\nbin/x.rb:3: syntax error, unexpected end-of-input, expecting `end' (SyntaxError)\nputs 1 +\n        ^\n",
            "SyntaxError: syntax error, unexpected end-of-input, expecting `end' | 1 | bin/x.rb:3 ?",
        ),
        (
            "bin/x.rb: --> bin/x.rb\nUnmatched keyword, missing `end' ?\n> 1  def total\n> 2    if x\n> 3  end\nbin/x.rb:3: syntax error, unexpected end-of-input, expecting `end' or dummy end (SyntaxError)\n",
            "SyntaxError: syntax error, unexpected end-of-input, expecting `end' or dummy end | 1 | bin/x.rb:3 ?",
        ),
        (
            "bin/x.rb:3: syntax errors found (SyntaxError)\n  1 | def total\n  2 |   if x\n> 3 | end\n    |    ^ expected an `end` to close the conditional clause\n> 4 | \n    | ^ unexpected end-of-input; expected an `end` to close the `def` clause\n",
            "SyntaxError: syntax errors found\n  1 | def total\n  2 |   if x\n> 3 | end\n    |    ^ expected an `end` to close the conditional clause\n> 4 | \n    | ^ unexpected end-of-input; expected an `end` to close the `def` clause | 1 | bin/x.rb:3 ?",
        ),
        (
            "bin/x.rb:1: syntax error found (SyntaxError)\n> 1 | foo(\n    |     ^ unexpected end-of-input; expected a `)` to close the arguments\n",
            "SyntaxError: syntax error found\n> 1 | foo(\n    |     ^ unexpected end-of-input; expected a `)` to close the arguments | 1 | bin/x.rb:1 ?",
        ),
        (
            "bin/x.rb:1:in 'Kernel#require_relative': --> /srv/lib/cart.rb\n\n/srv/lib/cart.rb:3: syntax errors found (SyntaxError)\n  1 | def total\n> 3 | end\n    |    ^ expected an `end` to close the `def` clause\n\tfrom bin/x.rb:1:in '<main>'\n",
            "SyntaxError: syntax errors found\n  1 | def total\n> 3 | end\n    |    ^ expected an `end` to close the `def` clause | 2 | /srv/lib/cart.rb:3 ?",
        ),
        (
            "ruby: bin/x.rb:1: syntax error found (SyntaxError)\n> 1 | total(\n    |       ^ unexpected end-of-input; expected a `)` to close the arguments\n",
            "SyntaxError: syntax error found\n> 1 | total(\n    |       ^ unexpected end-of-input; expected a `)` to close the arguments | 1 | bin/x.rb:1 ?",
        ),
        (
            "x.rb: syntax errors found (SyntaxError)\n  1 | class Cart\n> 2 |   def total(\n    |             ^ expected a `)` to close the parameters\n  3 |   end\n",
            "SyntaxError: syntax errors found\n  1 | class Cart\n> 2 |   def total(\n    |             ^ expected a `)` to close the parameters\n  3 |   end | 1 | x.rb:2 ?",
        ),
        (
            "lib/cart.rb:7: syntax error, unexpected end-of-input, expecting ')'\nlib/cart.rb:9: syntax error, unexpected end\n",
            "SyntaxError: syntax error, unexpected end-of-input, expecting ')' | 1 | lib/cart.rb:7 ?",
        ),
    ]);
}

#[test]
fn exunit() {
    check(&[
        (
            "..\n\n  1) test totals the cart (ShopTest)\n     test/shop_test.exs:5\n     Assertion with == failed\n     code:  assert Shop.total([1, 2]) == 4\n     left:  3\n     right: 4\n     stacktrace:\n       test/shop_test.exs:7: (test)\n\nFinished in 0.03 seconds\n2 tests, 1 failure\n",
            "ExUnit.AssertionError: Assertion with == failed\ncode:  assert Shop.total([1, 2]) == 4\nleft:  3\nright: 4 | 1 | test/shop_test.exs:7 test totals the cart",
        ),
        (
            "  1) test totals the cart (ShopTest)\n     test/shop_test.exs:5\n     ** (ArithmeticError) bad argument in arithmetic expression\n     code: assert Shop.total(nil) == 4\n     stacktrace:\n       (shop 0.1.0) lib/shop.ex:4: Shop.total/1\n       test/shop_test.exs:6: (test)\n\n\nFinished in 0.03 seconds\n",
            "ArithmeticError: bad argument in arithmetic expression | 2 | lib/shop.ex:4 total/1",
        ),
        (
            "  1) test totals the cart (ShopTest)\n     test/shop_test.exs:5\n     ** (KeyError) key :sku not found in: %{}\n     code: assert item.sku == 4\n     stacktrace:\n       test/shop_test.exs:6: (test)\n\n",
            "KeyError: key :sku not found in: %{} | 1 | test/shop_test.exs:6 test totals the cart",
        ),
        (
            "  2) test is empty (Shop.CartTest)\n     test/shop/cart_test.exs:7\n     Expected truthy, got false\n     code: assert Enum.empty?(cart)\n     arguments:\n\n         # 1\n         [1]\n\n     stacktrace:\n       test/shop_test.exs:9: (test)\n",
            "ExUnit.AssertionError: Expected truthy, got false\ncode: assert Enum.empty?(cart)\narguments:\n\n    # 1\n    [1] | 1 | test/shop_test.exs:9 test is empty",
        ),
        (
            "  1) test loads (ShopTest)\n     test/shop_test.exs:5\n     match (=) failed\n     code:  assert {:ok, _} = Shop.load(3)\n     left:  {:ok, _}\n     right: {:error, :enoent}\n     stacktrace:\n       test/shop_test.exs:9: (test)\n",
            "ExUnit.AssertionError: match (=) failed\ncode:  assert {:ok, _} = Shop.load(3)\nleft:  {:ok, _}\nright: {:error, :enoent} | 1 | test/shop_test.exs:9 test loads",
        ),
        (
            "  1) test totals (ShopTest)\n     test/shop_test.exs:15\n     Assertion with != failed\n     code: Shop.total([]) != 1\n     lhs:  1\n     rhs:  1\n     stacktrace:\n       test/shop_test.exs:20\n\nFinished in 0.8 seconds\n",
            "ExUnit.AssertionError: Assertion with != failed\ncode: Shop.total([]) != 1\nlhs:  1\nrhs:  1 | 1 | test/shop_test.exs:20 test totals",
        ),
        (
            "  1) test totals (ShopTest)\n     test/shop_test.exs:15\n     ** (ArgumentError) argument error\n     stacktrace:\n       :erlang.apply([%{}], :foo, [])\n\n",
            "ArgumentError: argument error | 2 | ?:- apply",
        ),
        (
            "  1) test totals (ShopTest)\n     test/shop_test.exs:15\n     Expected false or nil, got true\n     code: refute Shop.full?()\n     stacktrace:\n       test/shop_test.exs:16: (test)\n\n     The following output was logged:\n\n     10:00:00.000 [error] Task #PID<0.1.0> terminating\n     ** (RuntimeError) no rows\n         (shop 0.1.0) lib/shop/rows.ex:9: Shop.Rows.all/0\n\nFinished in 0.03 seconds\n",
            "ExUnit.AssertionError: Expected false or nil, got true\ncode: refute Shop.full?() | 1 | test/shop_test.exs:16 test totals",
        ),
        (
            "  1) test runs (ShopTest)\n     test/shop_test.exs:5\n     ** (EXIT from #PID<0.200.0>) an exception was raised:\n         ** (RuntimeError) no rows\n             (shop 0.1.0) lib/shop.ex:4: Shop.run/0\n             (elixir 1.15.0) lib/task/supervised.ex:101: Task.Supervised.invoke_mfa/2\n\n\nFinished in 0.03 seconds\n",
            "RuntimeError: no rows | 2 | lib/shop.ex:4 run/0",
        ),
        (
            "  1) test runs (ShopTest)\n     test/shop_test.exs:5\n     ** (exit) exited in: GenServer.call(Shop, :total, 5000)\n         ** (EXIT) an exception was raised:\n             ** (ArithmeticError) bad argument in arithmetic expression\n                 (shop 0.1.0) lib/shop.ex:4: Shop.handle_call/3\n                 (stdlib 5.0) gen_server.erl:1113: :gen_server.try_handle_call/4\n     code: assert Shop.total() == 3\n     stacktrace:\n       (elixir 1.15.0) lib/gen_server.ex:1074: GenServer.call/3\n       test/shop_test.exs:6: (test)\n\n",
            "ArithmeticError: bad argument in arithmetic expression | 2 | lib/shop.ex:4 handle_call/3",
        ),
        (
            "  1) test runs (ShopTest)\n     test/shop_test.exs:5\n     ** (exit) exited in: GenServer.call(Shop, :total, 5000)\n         ** (EXIT) no process: the process is not alive\n     code: assert Shop.total() == 3\n     stacktrace:\n       (elixir 1.15.0) lib/gen_server.ex:1063: GenServer.call/3\n       (shop 0.1.0) lib/shop.ex:9: Shop.total/0\n       test/shop_test.exs:6: (test)\n\n",
            "exit: exited in: GenServer.call(Shop, :total, 5000)\n** (EXIT) no process: the process is not alive | 3 | lib/gen_server.ex:1063 call/3",
        ),
    ]);
}

#[test]
fn erlang() {
    check(&[
        (
            "1> shop:total(a).\n** exception error: an error occurred when evaluating an arithmetic expression\n     in function  shop:add/2 (src/shop.erl, line 41)\n     in call from shop:total/1 (src/shop.erl, line 12)\n",
            "badarith: an error occurred when evaluating an arithmetic expression | 2 | src/shop.erl:41 add/2",
        ),
        (
            "** exception error: an error occurred when evaluating an arithmetic expression\n     in operator  +/2\n        called as a + 1\n     in call from shop:add/2 (src/shop.erl, line 41)\n     in call from shop:total/1 (src/shop.erl, line 12)\n",
            "badarith: an error occurred when evaluating an arithmetic expression | 3 | ?:- +/2",
        ),
        (
            "** exception error: bad argument\n     in call from shop:f/2 (src/shop.erl, line 41)\n",
            "badarg: bad argument | 1 | src/shop.erl:41 f/2",
        ),
        (
            "shop_tests: total_test...*failed*\nin function shop:add/2 (src/shop.erl, line 41)\nin call from shop_tests:total_test/0 (test/shop_tests.erl, line 9)\n**error:badarith\n  output:<<\"\">>\n",
            "badarith: badarith | 2 | src/shop.erl:41 add/2",
        ),
        (
            "::in function shop_tests:'-total_test_/0-fun-3-'/3 (/srv/test/shop_tests.erl, line 86)\nin call from eunit_test:run_testfun/1 (eunit_test.erl, line 71)\n**error:{assertEqual,[{module,shop_tests},\n              {line,86},\n              {expected,3},\n              {value,4}]}\n  output:<<\"\">>\n\n",
            "assertEqual: {assertEqual,[{module,shop_tests},\n{line,86},\n{expected,3},\n{value,4}]} | 2 | /srv/test/shop_tests.erl:86 '-total_test_/0-fun-3-'/3",
        ),
    ]);
}

#[test]
fn vitest_and_jest() {
    check(&[
        (
            "\n ❯ test/cart.test.ts (1 test | 1 failed) 5ms\n   × cart > totals 4ms\n     → expected 3 to be 4 // Object.is equality\n\n⎯⎯⎯⎯⎯⎯⎯ Failed Tests 1 ⎯⎯⎯⎯⎯⎯⎯\n\n FAIL  test/cart.test.ts > cart > totals\nAssertionError: expected 3 to be 4 // Object.is equality\n\n- Expected\n+ Received\n\n- 4\n+ 3\n\n ❯ test/cart.test.ts:6:25\n      4| describe('cart', () => {\n      5|   it('totals', () => {\n      6|     expect(total([1,2])).toBe(4)\n       |                         ^\n      7|   })\n      8| })\n\n⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯⎯[1/1]⎯\n\n Test Files  1 failed (1)\n",
            "AssertionError: expected 3 to be 4 // Object.is equality\n\n- Expected\n+ Received\n\n- 4\n+ 3 | 1 | test/cart.test.ts:6 ?",
        ),
        (
            " FAIL  test/cart.test.ts > totals\nTypeError: Cannot read properties of undefined (reading 'price')\n ❯ total src/cart.ts:2:19\n      1| export function total(lines) {\n      2|   return lines[0].price;\n       |                   ^\n      3| }\n ❯ test/cart.test.ts:5:10\n\n⎯⎯⎯⎯[1/1]⎯\n",
            "TypeError: Cannot read properties of undefined (reading 'price') | 2 | src/cart.ts:2 total",
        ),
        (
            "FAIL test/cart.test.js\n  ● cart › totals\n\n    TypeError: Cannot read properties of undefined (reading 'price')\n\n      1 | function total(lines) {\n    > 2 |   return lines[0].price;\n        |                   ^\n      3 | }\n\n      at total (src/cart.js:2:19)\n      at Object.<anonymous> (test/cart.test.js:5:3)\n\nTest Suites: 1 failed, 1 total\n",
            "TypeError: Cannot read properties of undefined (reading 'price') | 2 | src/cart.js:2 total",
        ),
        (
            "FAIL test/cart.test.js\n  ● totals\n\n    expect(received).toBe(expected) // Object.is equality\n\n    Expected: 4\n    Received: 3\n\n      4 |\n      5 | test('totals', () => {\n    > 6 |   expect(total([1, 2])).toBe(4);\n        |                         ^\n      7 | });\n\n      at Object.<anonymous> (test/cart.test.js:6:25)\n\nTests:       1 failed, 1 total\n",
            "Error: expect(received).toBe(expected) // Object.is equality\n\nExpected: 4\nReceived: 3 | 1 | test/cart.test.js:6 Object.<anonymous>",
        ),
        (
            " FAIL  src/Cart.test.tsx > Cart > shows a total\nTestingLibraryElementError: Unable to find an element with the text: 12.\n\n<body>\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n</body>\n\n ❯ src/Cart.test.tsx:14:10\n     12|   render(<Cart />)\n     13|\n     14|   screen.getByText(\"12\")\n       |          ^\n",
            "TestingLibraryElementError: Unable to find an element with the text: 12.\n\n<body>\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div />\n  <div /> | 1 | src/Cart.test.tsx:14 ?",
        ),
        (
            "FAIL test/cart.test.js\n  ● Test suite failed to run\n\n    Cannot find module './cup' from 'src/cart.js'\n\n    Require stack:\n      src/cart.js\n      test/cart.test.js\n\n    > 1 | const cup = require('./cup');\n        |             ^\n\n      at Resolver._throwModNotFoundError (node_modules/jest-resolve/build/resolver.js:427:11)\n      at Object.<anonymous> (src/cart.js:1:13)\n",
            "Error: Cannot find module './cup' from 'src/cart.js'\n\nRequire stack:\n  src/cart.js\n  test/cart.test.js | 2 | node_modules/jest-resolve/build/resolver.js:427 Resolver._throwModNotFoundError",
        ),
        (
            "Failures:\n1) Cart totals\n  Message:\n    Expected 3 to be 4.\n  Stack:\n    Error: Expected 3 to be 4.\n        at <Jasmine>\n        at UserContext.<anonymous> (/srv/spec/cart.spec.js:6:21)\n        at <Jasmine>\n\n1 spec, 1 failure\n",
            "Error: Expected 3 to be 4. | 3 | <Jasmine>:- ?",
        ),
        (
            "Chrome 100.0 (Linux) Cart totals FAILED\n\tExpected 3 to be 4.\n\t    at <Jasmine>\n\t    at UserContext.<anonymous> (src/cart.spec.ts:6:21)\n\t    at ZoneDelegate.invoke (node_modules/zone.js/fesm2015/zone.js:372:26)\nChrome 100.0 (Linux): Executed 1 of 1 (1 FAILED) (0.05 secs / 0.01 secs)\n",
            "Error: Expected 3 to be 4. | 3 | <Jasmine>:- ?",
        ),
        (
            "  1) tests/cart.spec.ts:5:1 › totals ──────────────\n\n    Error: expect(received).toBe(expected) // Object.is equality\n\n    Expected: 4\n    Received: 3\n\n      5 | test('totals', async () => {\n    > 6 |   expect(total()).toBe(4);\n        |                   ^\n      7 | });\n\n        at /srv/tests/cart.spec.ts:6:19\n\n  1 failed\n    tests/cart.spec.ts:5:1 › totals ────────\n",
            "Error: expect(received).toBe(expected) // Object.is equality\n\nExpected: 4\nReceived: 3 | 1 | /srv/tests/cart.spec.ts:6 ?",
        ),
    ]);
}

#[test]
fn mocha_node_and_tap() {
    check(&[
        (
            "  1 passing (4ms)\n  1 failing\n\n  1) cart\n       totals:\n\n      AssertionError [ERR_ASSERTION]: Expected values to be strictly equal:\n\n3 !== 4\n\n      + expected - actual\n\n      -3\n      +4\n      \n      at Context.<anonymous> (test/cart.js:8:14)\n      at process.processImmediate (node:internal/timers:476:21)\n\n\n\n",
            "AssertionError: Expected values to be strictly equal:\n\n3 !== 4\n\n+ expected - actual\n\n-3\n+4 | 2 | test/cart.js:8 Context.<anonymous>",
        ),
        (
            "TAP version 13\n# Subtest: totals\nnot ok 1 - totals\n  ---\n  duration_ms: 1.5\n  location: '/srv/test/cart.test.js:5:1'\n  failureType: 'testCodeFailure'\n  error: |-\n    Expected values to be strictly equal:\n    \n    3 !== 4\n    \n  code: 'ERR_ASSERTION'\n  name: 'AssertionError'\n  expected: 4\n  actual: 3\n  operator: 'strictEqual'\n  stack: |-\n    TestContext.<anonymous> (/srv/test/cart.test.js:6:10)\n    Test.runInAsyncScope (node:async_hooks:206:9)\n    Test.run (node:internal/test_runner/test:631:25)\n  ...\n1..1\n",
            "AssertionError: Expected values to be strictly equal:\n\n3 !== 4 | 3 | /srv/test/cart.test.js:6 TestContext.<anonymous>",
        ),
        (
            "TAP version 13\n# totals\nnot ok 1 should be strictly equal\n  ---\n    operator: equal\n    expected: 4\n    actual:   3\n    at: Test.<anonymous> (/srv/test/cart.js:5:5)\n    stack: |-\n      Error: should be strictly equal\n          at Test.assert [as _assert] (/srv/node_modules/tape/lib/test.js:314:54)\n          at Test.strictEqual (/srv/node_modules/tape/lib/test.js:478:10)\n          at Test.<anonymous> (/srv/test/cart.js:5:5)\n  ...\n\n1..1\n",
            "Error: should be strictly equal | 3 | /srv/node_modules/tape/lib/test.js:314 Test.assert",
        ),
        (
            "not ok 1 - should be equal\n  ---\n  compare: ===\n  at:\n    fileName: test/cart.js\n    lineNumber: 3\n    columnNumber: 3\n    typeName: Test\n  diff: |\n    --- expected\n    +++ actual\n  stack: |\n    Test.<anonymous> (test/cart.js:3:3)\n  source: |\n    t.equal(1, 2)\n    --^\n  ...\n",
            "AssertionError: should be equal | 1 | test/cart.js:3 Test.<anonymous>",
        ),
        (
            "✖ failing tests:\n\ntest at test/cart.test.js:5:1\n✖ totals (1.5ms)\n  AssertionError [ERR_ASSERTION]: Expected values to be strictly equal:\n  \n  3 !== 4\n  \n      at TestContext.<anonymous> (/srv/test/cart.test.js:6:10)\n      at Test.runInAsyncScope (node:async_hooks:206:9) {\n    generatedMessage: true,\n    code: 'ERR_ASSERTION',\n    actual: 3,\n    expected: 4,\n    operator: 'strictEqual'\n  }\n",
            "AssertionError: Expected values to be strictly equal:\n\n3 !== 4 | 2 | /srv/test/cart.test.js:6 TestContext.<anonymous>",
        ),
        (
            "/srv/a.js:2\n  throw new Error(\"first\\n\\nsecond\");\n  ^\n\nError: first\n\nsecond\n    at total (/srv/a.js:2:9)\n    at Object.<anonymous> (/srv/a.js:5:1)\n\nNode.js v20.1.0\n",
            "Error: first\n\nsecond | 2 | /srv/a.js:2 total",
        ),
        (
            "TypeError: Invalid config:\n\n  - name: is required\n\nSee https://example.com/docs: it says more\n    at total (/srv/a.js:2:9)\n",
            "TypeError: Invalid config:\n\n  - name: is required\n\nSee https://example.com/docs: it says more | 1 | /srv/a.js:2 total",
        ),
        (
            "TAP version 13\n# totals\nnot ok 1 TypeError: cart.total is not a function\n  ---\n    operator: error\n    expected: undefined\n    actual:   [TypeError: cart.total is not a function]\n    stack:\n      TypeError: cart.total is not a function\n        at total (/srv/test/cart.js:4:5)\n        at Test.run (/srv/node_modules/tape/lib/test.js:74:14)\n  ...\n",
            "TypeError: cart.total is not a function | 2 | /srv/test/cart.js:4 total",
        ),
        (
            "not ok 6 connect ECONNREFUSED\n  ---\n    file:   /srv/test/cart.js\n    line:   46\n    column: 15\n    stack:  \n      - getCaller (/srv/node_modules/tap/lib/tap-assert.js:418:17)\n      - /srv/test/cart.js:46:15\n  ...\n",
            "Error: connect ECONNREFUSED | 2 | /srv/node_modules/tap/lib/tap-assert.js:418 getCaller",
        ),
    ]);
}

#[test]
fn browsers_and_other_engines() {
    check(&[
        (
            "TypeError: x is undefined\ntotal@http://localhost:8080/app.js:1:20\n@http://localhost:8080/app.js:5:3\n",
            "TypeError: x is undefined | 2 | http://localhost:8080/app.js:1 total",
        ),
        (
            "Uncaught TypeError: x is undefined\n    total http://localhost:8080/app.js:1\n    <anonymous> http://localhost:8080/app.js:5\n",
            "TypeError: x is undefined | 2 | http://localhost:8080/app.js:1 total",
        ),
        (
            "Uncaught TypeError: Cannot read properties of undefined (reading 'map')\n    at Cart (Cart.jsx:9:17)\n    at renderWithHooks (react-dom.development.js:16305:18)\n\nThe above error occurred in the <Cart> component:\n\n    at Cart (http://localhost:3000/src/Cart.jsx:9:3)\n    at App (http://localhost:3000/src/App.jsx:4:3)\n\nConsider adding an error boundary to your tree to customize error handling behavior.\nVisit https://reactjs.org/link/error-boundaries to learn more about error boundaries.\n",
            "TypeError: Cannot read properties of undefined (reading 'map') | 2 | Cart.jsx:9 Cart",
        ),
        (
            "TypeError: undefined is not an object (evaluating 'x.price')\ntotal@http://localhost:8080/app.js:1:20\nmodule code@http://localhost:8080/app.js:5:3\n[native code]\n",
            "TypeError: undefined is not an object (evaluating 'x.price') | 2 | http://localhost:8080/app.js:1 total",
        ),
        (
            "Error: no total\n    at total (/srv/a.js:9:9)\n    at main (/srv/a.js:20:3) {\n  [cause]: TypeError: x is undefined\n      at rows (/srv/a.js:3:9)\n      at total (/srv/a.js:8:5)\n}\n",
            "Error: no total | 2 | /srv/a.js:9 total",
        ),
        (
            "[AggregateError: All promises were rejected] {\n  [errors]: [\n    Error: one\n        at one (/srv/a.js:3:9)\n        at main (/srv/a.js:20:3),\n    Error: two\n        at two (/srv/a.js:6:9)\n        at main (/srv/a.js:21:3)\n  ]\n}\n\nNode.js v20.1.0\n",
            "AggregateError: All promises were rejected | 0 | ",
        ),
        (
            "AggregateError: several\n    at main (/srv/a.js:15:9) {\n  [errors]: [\n    Error: one\n        at one (/srv/a.js:3:9),\n    Error: two\n        at two (/srv/a.js:6:9)\n  ]\n}\n",
            "AggregateError: several | 1 | /srv/a.js:15 main",
        ),
        (
            "error: Uncaught (in promise) TypeError: x is not a function\n  return x();\n         ^\n    at total (file:///srv/a.ts:3:10)\n    at file:///srv/a.ts:9:1\n",
            "TypeError: x is not a function | 2 | /srv/a.ts:3 total",
        ),
        (
            "error: Uncaught Error: no total\n    throw new Error(\"no total\", { cause: e });\n          ^\n    at total (file:///srv/a.ts:6:11)\n    at file:///srv/a.ts:9:1\nCaused by: TypeError: x is not a function\n    at total (file:///srv/a.ts:3:10)\n    at file:///srv/a.ts:9:1\n",
            "Error: no total | 2 | /srv/a.ts:6 total",
        ),
        (
            " ERRORS \n\ntotals => ./cart_test.ts:3:6\nerror: AssertionError: Values are not equal.\n\n\n    [Diff] Actual / Expected\n\n\n-   3\n+   4\n\n  throw new AssertionError(message);\n        ^\n    at assertEquals (https://jsr.io/@std/assert/1.0.0/equals.ts:51:9)\n    at file:///srv/cart_test.ts:5:3\n\n FAILURES \n\ntotals => ./cart_test.ts:3:6\n\nFAILED | 0 passed | 1 failed (5ms)\n\nerror: Test failed\n",
            "AssertionError: Values are not equal.\n\n\n    [Diff] Actual / Expected\n\n\n-   3\n+   4 | 2 | https://jsr.io/@std/assert/1.0.0/equals.ts:51 assertEquals",
        ),
        (
            "1 | function total(x: any) {\n2 |   return x.price;\n             ^\nTypeError: undefined is not an object (evaluating 'x.price')\n      at total (/srv/a.ts:2:12)\n      at /srv/a.ts:5:1\n\nBun v1.1.0 (Linux x64)\n",
            "TypeError: undefined is not an object (evaluating 'x.price') | 2 | /srv/a.ts:2 total",
        ),
        (
            "cart.test.ts:\n2 | import { total } from \"./cart\";\n3 | \n4 | test(\"totals\", () => {\n5 |   expect(total()).toBe(4);\n                      ^\nerror: expect(received).toBe(expected)\n\nExpected: 4\nReceived: 3\n\n      at <anonymous> (/srv/cart.test.ts:5:19)\n✗ totals [0.50ms]\n\n 0 pass\n 1 fail\n",
            "Error: expect(received).toBe(expected)\n\nExpected: 4\nReceived: 3 | 1 | /srv/cart.test.ts:5 <anonymous>",
        ),
        (
            "Unhandled Rejection (TypeError): Cannot read properties of null (reading 'price')\n    at total (http://localhost:3000/static/js/bundle.js:41:19)\n",
            "TypeError: Cannot read properties of null (reading 'price') | 1 | http://localhost:3000/static/js/bundle.js:41 total",
        ),
        (
            "TypeError: undefined is not an object (evaluating 'cart.total')\n\nThis error is located at:\n    at Cart (http://localhost:8081/index.bundle//&platform=ios:121:19)\n    at View\n    at App (http://localhost:8081/index.bundle//&platform=ios:98:3)\n",
            "TypeError: undefined is not an object (evaluating 'cart.total') | 2 | http://localhost:8081/index.bundle//&platform=ios:121 Cart",
        ),
        (
            "Error: x is not a function\ngetStackTrace@http://shop.example.com/app/cart:81:7\ntrap/item.obj[item.prop]</<@http://shop.example.com/app/cart:147:28\ninit/Canvas.prototype.render@http://shop.example.com/app.bundle.js?v=14566:66:19022\n",
            "Error: x is not a function | 3 | http://shop.example.com/app/cart:81 getStackTrace",
        ),
        (
            "3 |   throw new CartError(\"no total\");\n            ^\nCartError: no total\n      at total (/srv/cart.ts:3:9)\n      at /srv/main.ts:9:1\n\nBun v1.1.0 (Linux x64)\n",
            "CartError: no total | 2 | /srv/cart.ts:3 total",
        ),
        (
            "error: Uncaught (in promise) Error: no rows\n    at rows (file:///srv/rows.ts:3:9)\n    at async total (file:///srv/cart.ts:9:3)\nCaused by: TypeError: fetch failed\n    at async file:///srv/rows.ts:1:1\n",
            "Error: no rows | 2 | /srv/rows.ts:3 rows",
        ),
    ]);
}

#[test]
fn phpunit_and_pest() {
    check(&[
        (
            "PHPUnit 10.5.1 by Sebastian Bergmann and contributors.\n\nF                                    1 / 1 (100%)\n\nThere was 1 failure:\n\n1) Shop\\Tests\\CartTest::testTotal\nFailed asserting that 3 matches expected 4.\n\n/srv/tests/CartTest.php:12\n\nFAILURES!\nTests: 1, Assertions: 1, Failures: 1.\n",
            "PHPUnit\\Framework\\ExpectationFailedException: Failed asserting that 3 matches expected 4. | 1 | /srv/tests/CartTest.php:12 ?",
        ),
        (
            "There was 1 error:\n\n1) Shop\\Tests\\CartTest::testAdd\nTypeError: Shop\\Cart::add(): Argument #1 ($x) must be of type int, string given, called in /srv/tests/CartTest.php on line 12\n\n/srv/src/Cart.php:7\n/srv/tests/CartTest.php:12\n\nERRORS!\nTests: 1, Assertions: 0, Errors: 1.\n",
            "TypeError: Shop\\Cart::add(): Argument #1 ($x) must be of type int, string given, called in /srv/tests/CartTest.php on line 12 | 2 | /srv/src/Cart.php:7 ?",
        ),
        (
            "There were 2 failures:\n\n1) CartTest::testA\nFailed asserting that false is true.\n\n/srv/tests/CartTest.php:12\n\n2) CartTest::testB with data set #1 ('a', 2)\nFailed asserting that two arrays are equal.\n--- Expected\n+++ Actual\n@@ @@\n Array (\n-    0 => 1\n+    0 => 2\n )\n\n/srv/tests/CartTest.php:20\n\nFAILURES!\n",
            "PHPUnit\\Framework\\ExpectationFailedException: Failed asserting that two arrays are equal.\n--- Expected\n+++ Actual\n@@ @@\nArray (\n-    0 => 1\n+    0 => 2\n) | 1 | /srv/tests/CartTest.php:20 ?",
        ),
        (
            "   FAIL  Tests\\Unit\\CartTest\n  ⨯ it totals                                              0.01s  \n  ────────────────────────────────────────────────────────────────────────────  \n   FAILED  Tests\\Unit\\CartTest > it totals                         ErrorException   \n  Undefined array key \"a\"\n\n  at app/Cart.php:9\n      5▕     {\n      6▕         $lines = [];\n      7▕ \n  ➜   9▕         return $lines[\"a\"];\n     10▕     }\n\n  1   app/Cart.php:9\n  2   tests/Unit/CartTest.php:6\n\n\n  Tests:    1 failed (0 assertions)\n  Duration: 0.10s\n",
            "ErrorException: Undefined array key \"a\" | 2 | app/Cart.php:9 ?",
        ),
        (
            "   FAIL  Tests\\Unit\\CartTest\n  ⨯ it totals                                              0.01s  \n  ────────────────────────────────────────────────────────────────────────────  \n   FAILED  Tests\\Unit\\CartTest > it totals                                     \n  Failed asserting that 3 is identical to 4.\n\n  at tests/Unit/CartTest.php:6\n      2▕ \n      3▕ it('totals', function () {\n  ➜   6▕     expect(total())->toBe(4);\n      7▕ });\n\n\n  Tests:    1 failed (1 assertions)\n",
            "PHPUnit\\Framework\\ExpectationFailedException: Failed asserting that 3 is identical to 4. | 1 | tests/Unit/CartTest.php:6 ?",
        ),
        (
            "   FAILED  Tests\\Feature\\CartTest > it answers\n  Expected response status code [201] but received 404.\nFailed asserting that 404 is identical to 201.\n\n  at tests/Feature/CartTest.php:20\n     19▕\n  ➜  20▕     $response->assertStatus(201);\n     21▕ }\n\n",
            "PHPUnit\\Framework\\ExpectationFailedException: Expected response status code [201] but received 404.\nFailed asserting that 404 is identical to 201. | 1 | tests/Feature/CartTest.php:20 ?",
        ),
        (
            "  • Tests\\Unit\\CartTest > it totals\n   ErrorException \n\n  Undefined array key \"a\"\n\n  at app/Cart.php:9\n      8▕ \n  ➜   9▕         return $lines[\"a\"];\n\n  1   tests/Unit/CartTest.php:6\n",
            "ErrorException: Undefined array key \"a\" | 2 | app/Cart.php:9 ?",
        ),
        (
            "There was 1 failure:\n\n1) CartTest::testTotal\nno cart\n\n/srv/tests/CartTest.php:12\n\nFAILURES!\n",
            "PHPUnit\\Framework\\AssertionFailedError: no cart | 1 | /srv/tests/CartTest.php:12 ?",
        ),
        (
            "   FAILED  Tests\\Feature\\CartTest > filters by district\n   Failed asserting that 'x' contains \"y\".\n   at tests/Feature/CartTest.php:78\n\n   FAILED  Tests\\Feature\\CartTest > filters by type\n   Failed asserting that 'a' contains \"b\".\n   at tests/Feature/CartTest.php:92\n\n   Tests:    2 failed, 48 passed (388 assertions)\n",
            "PHPUnit\\Framework\\ExpectationFailedException: Failed asserting that 'a' contains \"b\". | 1 | tests/Feature/CartTest.php:92 ?",
        ),
        (
            "..F\n\nTime: 00:00.005, Memory: 6.00 MB\n\nThere was 1 failure:\n\n1) Shop\\CartTest::testTotal with data set \"none\" (array(), 4)\nFailed asserting that actual size 3 matches expected size 4.\n\n/srv/tests/CartTest.php:12\n\n--\n\nThere was 1 risky test:\n\n1) Shop\\CupTest::testCup\nThis test did not perform any assertions\n\n/srv/tests/CupTest.php:9\n\nFAILURES!\n",
            "PHPUnit\\Framework\\ExpectationFailedException: Failed asserting that actual size 3 matches expected size 4. | 1 | /srv/tests/CartTest.php:12 ?",
        ),
        (
            "1) CartTest::testTotal\nShop\\CartError: no total\n\n/srv/src/Cart.php:9\n/srv/tests/CartTest.php:12\n\nCaused by\nPDOException: no table\n\n/srv/src/Rows.php:3\n/srv/src/Cart.php:7\n\nERRORS!\n",
            "Shop\\CartError: no total | 2 | /srv/src/Cart.php:9 ?",
        ),
        (
            "   FAIL  Tests\\Feature\\CartTest\n  ⨯ it totals\n  ---\n\n  • Tests\\Feature\\CartTest > it totals\n  PHPUnit\\Framework\\ExpectationFailedException \n\n  Failed asserting that 3 is identical to 4.\n\n  at tests/Feature/CartTest.php:12\n       8▕ \n\n  Tests:  1 failed\n",
            "PHPUnit\\Framework\\ExpectationFailedException: Failed asserting that 3 is identical to 4. | 1 | tests/Feature/CartTest.php:12 ?",
        ),
    ]);
}

#[test]
fn pytest_and_unittest() {
    check(&[
        (
            "=================================== FAILURES ===================================\n__________________________________ test_total __________________________________\n\n    def test_total():\n>       assert total({}) == 3\n\ntests/test_cart.py:5: \n_ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ \n\nx = {}\n\n    def total(x):\n>       return x[\"sku\"]\nE       KeyError: 'sku'\n\nshop/cart.py:3: KeyError\n=========================== short test summary info ============================\nFAILED tests/test_cart.py::test_total - KeyError: 'sku'\n============================== 1 failed in 0.02s ===============================\n",
            "KeyError: 'sku' | 2 | shop/cart.py:3 ?",
        ),
        (
            "__________________________________ test_total __________________________________\n\n    def test_total():\n        c = Cart()\n>       assert c.total() == 3\nE       assert 2 == 3\nE        +  where 2 = total()\n\ntests/test_cart.py:6: AssertionError\n=========================== short test summary info ============================\nFAILED tests/test_cart.py::test_total - assert 2 == 3\n",
            "AssertionError: assert 2 == 3\n+  where 2 = total() | 1 | tests/test_cart.py:6 ?",
        ),
        (
            "__________________________________ test_total __________________________________\ntests/test_cart.py:5: in test_total\n    assert total({}) == 3\nshop/cart.py:3: in total\n    return x[\"sku\"]\nE   KeyError: 'sku'\n=========================== short test summary info ============================\nFAILED tests/test_cart.py::test_total - KeyError: 'sku'\n",
            "KeyError: 'sku' | 2 | shop/cart.py:3 total",
        ),
        (
            "__________________________________ test_total __________________________________\nTraceback (most recent call last):\n  File \"/srv/tests/test_cart.py\", line 5, in test_total\n    assert total({}) == 3\n  File \"/srv/shop/cart.py\", line 3, in total\n    return x[\"sku\"]\nKeyError: 'sku'\n=========================== short test summary info ============================\nFAILED tests/test_cart.py::test_total - KeyError: 'sku'\n",
            "KeyError: 'sku' | 2 | /srv/shop/cart.py:3 total",
        ),
        (
            "=================================== FAILURES ===================================\n/srv/shop/cart.py:3: KeyError: 'sku'\n=========================== short test summary info ============================\nFAILED tests/test_cart.py::test_total - KeyError: 'sku'\n",
            "KeyError: 'sku' | 1 | /srv/shop/cart.py:3 ?",
        ),
        (
            "==================================== ERRORS ====================================\n_____________________ ERROR collecting tests/test_cart.py ______________________\nImportError while importing test module '/srv/tests/test_cart.py'.\nHint: make sure your test modules/packages have valid Python names.\nTraceback:\n/usr/lib/python3.11/importlib/__init__.py:126: in import_module\n    return _bootstrap._gcd_import(name[level:], package, level)\ntests/test_cart.py:1: in <module>\n    from shop import cart\nE   ModuleNotFoundError: No module named 'shop'\n=========================== short test summary info ============================\nERROR tests/test_cart.py\n",
            "ModuleNotFoundError: No module named 'shop' | 2 | tests/test_cart.py:1 <module>",
        ),
        (
            "F\n======================================================================\nFAIL: test_total (test_cart.CartTest.test_total)\n----------------------------------------------------------------------\nTraceback (most recent call last):\n  File \"/srv/test_cart.py\", line 8, in test_total\n    self.assertEqual(2, 3)\nAssertionError: 2 != 3\n\n----------------------------------------------------------------------\nRan 1 test in 0.001s\n\nFAILED (failures=1)\n",
            "AssertionError: 2 != 3 | 1 | /srv/test_cart.py:8 test_total",
        ),
        (
            "__________________________________ test_total __________________________________\n\n    def test_total():\n>       assert total() == 3\nE       assert 2 == 3\n\ntests/test_cart.py:6: AssertionError\n------------------------------ Captured log call -------------------------------\nERROR    shop:cart.py:9 failed\nTraceback (most recent call last):\n  File \"/srv/shop/cart.py\", line 8, in load\n    return rows[\"a\"]\nKeyError: 'a'\n=========================== short test summary info ============================\nFAILED tests/test_cart.py::test_total - assert 2 == 3\n",
            "AssertionError: assert 2 == 3 | 1 | tests/test_cart.py:6 ?",
        ),
        (
            "__________________________________ test_total __________________________________\n\n    def load():\n>       return rows[\"a\"]\nE       KeyError: 'a'\n\nshop/rows.py:3: KeyError\n\nDuring handling of the above exception, another exception occurred:\n\n    def test_total():\n>       total()\n\ntests/test_cart.py:5: \n_ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _\n\n    def total():\n>       raise NoRows(\"a\")\nE       shop.NoRows: a\n\nshop/cart.py:9: NoRows\n=========================== short test summary info ============================\n",
            "shop.NoRows: a | 2 | shop/cart.py:9 ?",
        ),
        (
            "==================================== ERRORS ====================================\n_________________________ ERROR at setup of test_total _________________________\n\n    @pytest.fixture\n    def cart():\n>       return Cart(rows[\"a\"])\nE       KeyError: 'a'\n\ntests/conftest.py:9: KeyError\n=========================== short test summary info ============================\nERROR tests/test_cart.py::test_total - KeyError: 'a'\n",
            "KeyError: 'a' | 1 | tests/conftest.py:9 ?",
        ),
    ]);
}

#[test]
fn go_and_cargo() {
    check(&[
        (
            "=== RUN   TestTotal\n    cart_test.go:12: total = 3, want 4\n--- FAIL: TestTotal (0.00s)\nFAIL\nexit status 1\nFAIL\texample.com/shop\t0.002s\n",
            "FAIL: total = 3, want 4 | 1 | cart_test.go:12 TestTotal",
        ),
        (
            "--- FAIL: TestTotal (0.00s)\n    cart_test.go:12: total = 3, want 4\nFAIL\nexit status 1\nFAIL\texample.com/shop\t0.002s\n",
            "FAIL: total = 3, want 4 | 1 | cart_test.go:12 TestTotal",
        ),
        (
            "--- FAIL: TestTotal (0.00s)\n    --- FAIL: TestTotal/empty (0.00s)\n        cart_test.go:22: got 1\n            want 2\nFAIL\n",
            "FAIL: got 1\nwant 2 | 1 | cart_test.go:22 TestTotal/empty",
        ),
        (
            "--- FAIL: TestTotal (0.00s)\n    cart_test.go:14: \n        \tError Trace:\t/srv/shop/cart_test.go:14\n        \tError:      \tNot equal: \n        \t            \texpected: 4\n        \t            \tactual  : 3\n        \tTest:       \tTestTotal\n        \tMessages:   \tcart total\nFAIL\n",
            "FAIL: Not equal:\nexpected: 4\nactual  : 3\ncart total | 1 | /srv/shop/cart_test.go:14 TestTotal",
        ),
        (
            "--- FAIL: TestTotal (0.00s)\npanic: runtime error: index out of range [3] with length 1 [recovered]\n\tpanic: runtime error: index out of range [3] with length 1\n\ngoroutine 6 [running]:\ntesting.tRunner.func1.2({0x5, 0xc})\n\t/usr/local/go/src/testing/testing.go:1545 +0x238\ntesting.tRunner.func1()\n\t/usr/local/go/src/testing/testing.go:1548 +0x397\npanic({0x5?, 0xc?})\n\t/usr/local/go/src/runtime/panic.go:914 +0x21f\nexample.com/shop.Total(...)\n\t/srv/shop/cart.go:9\nexample.com/shop.TestTotal(0xc)\n\t/srv/shop/cart_test.go:12 +0x1d\ntesting.tRunner(0xc, 0x6)\n\t/usr/local/go/src/testing/testing.go:1595 +0xff\ncreated by testing.(*T).Run in goroutine 1\n\t/usr/local/go/src/testing/testing.go:1648 +0x3ad\nexit status 2\nFAIL\texample.com/shop\t0.005s\n",
            "panic: runtime error: index out of range [3] with length 1 | 4 | /srv/shop/cart.go:9 Total",
        ),
        (
            "running 1 test\ntest total ... FAILED\n\nfailures:\n\n---- total stdout ----\n\nthread 'total' panicked at tests/cart.rs:7:5:\nassertion `left == right` failed\n  left: 3\n right: 4\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n\n\nfailures:\n    total\n\ntest result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n",
            "panic: assertion `left == right` failed\n  left: 3\n right: 4 | 1 | tests/cart.rs:7 ?",
        ),
        (
            "--- FAIL: TestTotal (0.00s)\n        Error Trace:    cart_test.go:18\n\tError:      \tNot equal: 0 (expected)\n\t            \t        != 1 (actual)\n\nFAIL\nexit status 1\n",
            "FAIL: Not equal: 0 (expected)\n!= 1 (actual) | 1 | cart_test.go:18 TestTotal",
        ),
        (
            "=== RUN   TestTotal\n    cart_test.go:58: \n        \tError Trace:\t/srv/shop/internal/assertions.go:180\n        \t            \t\t\t\t/srv/shop/cart_test.go:58\n        \tError:      \tReceived unexpected error:\n        \t            \tno rows\n        \tTest:       \tTestTotal\n--- FAIL: TestTotal (0.00s)\nFAIL\n",
            "FAIL: Received unexpected error:\nno rows | 2 | /srv/shop/internal/assertions.go:180 ?",
        ),
        (
            "=== RUN   TestTotal\n    cart_test.go:10: three lines\n    cart_test.go:12: total = 3, want 4\n--- FAIL: TestTotal (0.00s)\n=== RUN   TestOther\n    cart_test.go:30: fine\n--- PASS: TestOther (0.00s)\nFAIL\n",
            "FAIL: total = 3, want 4 | 1 | cart_test.go:12 TestTotal",
        ),
        (
            "--- FAIL: TestTotal (0.00s)\n    check.go:11:\n                Error Trace:    check.go:11\n                                                        cart_test.go:11\n                Error:          Not equal:\n                                expected: \"a\"\n                                actual  : \"b\"\n\n                                Diff:\n                                --- Expected\n                                +++ Actual\n                                @@ -1 +1 @@\n                                -a\n                                +b\n                Test:           TestTotal\n    cart_test.go:13:\n                Error Trace:    cart_test.go:13\n                Error:          Should be true\n                Test:           TestTotal\nFAIL\n",
            "FAIL: Should be true | 1 | cart_test.go:13 TestTotal",
        ),
    ]);
}

#[test]
fn jvm() {
    check(&[
        (
            "[ERROR] Tests run: 1, Failures: 1, Errors: 0, Skipped: 0, Time elapsed: 0.03 s <<< FAILURE! -- in com.example.shop.CartTest\n[ERROR] com.example.shop.CartTest.total -- Time elapsed: 0.01 s <<< FAILURE!\norg.opentest4j.AssertionFailedError: expected: <4> but was: <3>\n\tat org.junit.jupiter.api.AssertionUtils.fail(AssertionUtils.java:55)\n\tat org.junit.jupiter.api.Assertions.assertEquals(Assertions.java:527)\n\tat com.example.shop.CartTest.total(CartTest.java:12)\n\n[INFO] \n[INFO] Results:\n[INFO] \n[ERROR] Failures: \n[ERROR]   CartTest.total:12 expected: <4> but was: <3>\n[INFO] \n[ERROR] Tests run: 1, Failures: 1, Errors: 0, Skipped: 0\n[INFO] \n[INFO] BUILD FAILURE\n",
            "org.opentest4j.AssertionFailedError: expected: <4> but was: <3> | 3 | org/junit/jupiter/api/AssertionUtils.java:55 fail",
        ),
        (
            "Tests run: 1, Failures: 0, Errors: 1, Skipped: 0, Time elapsed: 0.03 sec <<< FAILURE! - in com.example.shop.CartTest\ntotal(com.example.shop.CartTest)  Time elapsed: 0.01 sec  <<< ERROR!\njava.lang.NullPointerException: null\n\tat com.example.shop.Cart.total(Cart.java:9)\n\tat com.example.shop.CartTest.total(CartTest.java:12)\n\n\nResults :\n\nTests in error: \n  CartTest.total:12 » NullPointer\n\nTests run: 1, Failures: 0, Errors: 1, Skipped: 0\n",
            "java.lang.NullPointerException: null | 2 | com/example/shop/Cart.java:9 total",
        ),
        (
            "> Task :test FAILED\n\nCartTest > total() FAILED\n    org.opentest4j.AssertionFailedError: expected: <4> but was: <3>\n        at app//org.junit.jupiter.api.AssertionUtils.fail(AssertionUtils.java:55)\n        at app//com.example.shop.CartTest.total(CartTest.java:12)\n\n1 test completed, 1 failed\n\nFAILURE: Build failed with an exception.\n\n* What went wrong:\nExecution failed for task ':test'.\n> There were failing tests. See the report at: file:///srv/build/reports/tests/test/index.html\n\nBUILD FAILED in 2s\n",
            "org.opentest4j.AssertionFailedError: expected: <4> but was: <3> | 2 | org/junit/jupiter/api/AssertionUtils.java:55 fail",
        ),
        (
            "CartTest > total() FAILED\n    org.opentest4j.AssertionFailedError at CartTest.java:12\n\n1 test completed, 1 failed\n",
            "org.opentest4j.AssertionFailedError: - | 1 | CartTest.java:12 total",
        ),
        (
            "CartTest > total() FAILED\n    java.lang.IllegalStateException at CartTest.java:12\n        Caused by: java.lang.NullPointerException at CartTest.java:20\n\n1 test completed, 1 failed\n",
            "java.lang.IllegalStateException: - | 1 | CartTest.java:12 total",
        ),
        (
            "Failures (1):\n  JUnit Jupiter:CartTest:total()\n    MethodSource [className = 'com.example.CartTest', methodName = 'total', methodParameterTypes = '']\n    => org.opentest4j.AssertionFailedError: expected: <4> but was: <3>\n       org.junit.jupiter.api.AssertionUtils.fail(AssertionUtils.java:55)\n       org.junit.jupiter.api.Assertions.assertEquals(Assertions.java:527)\n       com.example.shop.CartTest.total(CartTest.java:12)\n       [...]\n\nTest run finished after 64 ms\n",
            "org.opentest4j.AssertionFailedError: expected: <4> but was: <3> | 3 | org/junit/jupiter/api/AssertionUtils.java:55 fail",
        ),
        (
            "JUnit version 4.13\n.E\nTime: 0.005\nThere was 1 failure:\n1) total(com.example.shop.CartTest)\njava.lang.AssertionError: expected:<4> but was:<3>\n\tat org.junit.Assert.fail(Assert.java:89)\n\tat com.example.shop.CartTest.total(CartTest.java:12)\n\nFAILURES!!!\nTests run: 1,  Failures: 1\n",
            "java.lang.AssertionError: expected:<4> but was:<3> | 2 | org/junit/Assert.java:89 fail",
        ),
        (
            "com.example.shop.CartTest > total FAILED\n    junit.framework.AssertionFailedError at CartTest.java:43\n\ncom.example.shop.CupTest > pours FAILED\n    java.lang.IllegalStateException at CupTest.kt:33\n        Caused by: java.lang.NullPointerException at Cup.kt:7\n\n4 tests completed, 2 failed\n",
            "java.lang.IllegalStateException: - | 1 | com/example/shop/CupTest.kt:33 pours",
        ),
        (
            "com.example.shop.CartTest > totals FAILED\n    arrays first differed at element [0]; expected:<2> but was:<21>\n        at org.junit.Assert.assertArrayEquals(Assert.java:290)\n        at com.example.shop.CartTest.totals(CartTest.java:14)\n\n",
            "org.junit.internal.ArrayComparisonFailure: arrays first differed at element [0]; expected:<2> but was:<21> | 2 | org/junit/Assert.java:290 assertArrayEquals",
        ),
    ]);
}

#[test]
fn dotnet_and_dart() {
    check(&[
        (
            "[xUnit.net 00:00:00.51]     Shop.Tests.CartTests.Total [FAIL]\n  Failed Shop.Tests.CartTests.Total [3 ms]\n  Error Message:\n   Assert.Equal() Failure: Values differ\nExpected: 4\nActual:   3\n  Stack Trace:\n     at Shop.Tests.CartTests.Total() in /src/CartTests.cs:line 12\n   at System.RuntimeMethodHandle.InvokeMethod(Object target, Void** arguments, Signature sig, Boolean isConstructor)\n\nFailed!  - Failed:     1, Passed:     0, Skipped:     0, Total:     1, Duration: 3 ms - Tests.dll (net8.0)\n",
            "Xunit.Sdk.EqualException: Assert.Equal() Failure: Values differ\nExpected: 4\nActual:   3 | 2 | /src/CartTests.cs:12 Total",
        ),
        (
            "  Failed Shop.Tests.CartTests.Total [3 ms]\n  Error Message:\n   System.NullReferenceException : Object reference not set to an instance of an object.\n  Stack Trace:\n     at Shop.Cart.Total() in /src/Cart.cs:line 9\n   at Shop.Tests.CartTests.Total() in /src/CartTests.cs:line 12\n\n",
            "System.NullReferenceException: Object reference not set to an instance of an object. | 2 | /src/Cart.cs:9 Total",
        ),
        (
            "  Failed Total [20 ms]\n  Error Message:\n   Assert.AreEqual failed. Expected:<4>. Actual:<3>. \n  Stack Trace:\n      at Shop.Tests.CartTests.Total() in C:\\src\\CartTests.cs:line 12\n\n",
            "Microsoft.VisualStudio.TestTools.UnitTesting.AssertFailedException: Assert.AreEqual failed. Expected:<4>. Actual:<3>. | 1 | C:\\src\\CartTests.cs:12 Total",
        ),
        (
            "  failed Total (20ms)\n    Assert.AreEqual failed. Expected:<4>. Actual:<3>. \n      at Shop.Tests.CartTests.Total() in /src/CartTests.cs:12\n\n",
            "Microsoft.VisualStudio.TestTools.UnitTesting.AssertFailedException: Assert.AreEqual failed. Expected:<4>. Actual:<3>. | 1 | /src/CartTests.cs:12 Total",
        ),
        (
            "    Shop.Tests.CartTests.Total [FAIL]\n      System.InvalidOperationException : no rows\n      Stack Trace:\n        /src/Cart.cs(9,0): at Shop.Cart.Total()\n        /src/CartTests.cs(12,0): at Shop.Tests.CartTests.Total()\n",
            "System.InvalidOperationException: no rows | 2 | /src/Cart.cs:9 Total",
        ),
        (
            "  Failed Total [20 ms]\n  Error Message:\n     Expected: 4\n  But was:  3\n\n  Stack Trace:\n     at Shop.Tests.CartTests.Total() in /src/CartTests.cs:line 12\n\n",
            "NUnit.Framework.AssertionException: Expected: 4\nBut was:  3 | 1 | /src/CartTests.cs:12 Total",
        ),
        (
            "Assert.Equal() Failure\nExpected: 4\nActual:   3\n\nStack trace\n   en Xunit.Assert.Equal(Int32 a, Int32 b) en C:\\xunit\\Asserts.cs:línea 24\n   en Shop.Tests.CartTests.Total() en C:\\src\\CartTests.cs:línea 12\n",
            "Xunit.Sdk.EqualException: Assert.Equal() Failure\nExpected: 4\nActual:   3 | 2 | C:\\xunit\\Asserts.cs:24 Equal",
        ),
        (
            "00:01 +0 -1: totals [E]\n  Expected: <4>\n    Actual: <3>\n  \n  package:matcher     expect\n  test/cart_test.dart 6:5  main.<fn>\n  \n00:01 +0 -1: Some tests failed.\n",
            "TestFailure: Expected: <4>\nActual: <3> | 1 | test/cart_test.dart:6 main.<fn>",
        ),
    ]);
}

#[test]
fn what_they_print_beside_it_is_no_error() {
    let wrong: Vec<&str> = [
        "bin/rails test test/models/cart_test.rb:4\nrails test test/models/cart_test.rb:9\n",
        "Failed examples:\n\nrspec ./spec/cart_spec.rb:4 # Cart totals its lines\nrspec ./spec/cart_spec.rb:9 # Cart is empty\n",
        "  1) Skipped:\nCartTest#test_total [test/cart_test.rb:9]:\nSkipped, no message given\n\n1 runs, 0 assertions, 0 failures, 0 errors, 1 skips\n",
        "mix test test/shop_test.exs:5\n",
        "  * test totals (skipped) (0.0ms) [L#5]\n\nFinished in 0.03 seconds\n2 tests, 0 failures, 1 skipped\n",
        "=== RUN   TestTotal\n    cart_test.go:12: three lines\n--- PASS: TestTotal (0.00s)\nPASS\nok  \texample.com/shop\t0.002s\n",
        "# example.com/shop\n./cart.go:3:2: undefined: total\nFAIL\texample.com/shop [build failed]\n",
        "TAP version 13\nnot ok 1 - totals # todo later\n  ---\n  at:\n    file: test/cart.js\n    line: 3\n  ...\n1..1\n",
        "not ok 1 - cart\n  ---\n  location: '/srv/test/cart.test.js:4:1'\n  failureType: 'subtestsFailed'\n  error: '1 subtest failed'\n  code: 'ERR_TEST_FAILURE'\n  ...\n",
        " ❯ test/cart.test.ts (3 tests | 1 failed) 5ms\n   × cart > totals 4ms\n     → expected 3 to be 4\n ❯ test/cup.test.ts 0/20\n",
        "  ● Console\n\n    console.log\n      three lines\n\n      at log (src/cart.js:3:11)\n\nTests:       1 passed, 1 total\n",
        "[ERROR] Failures: \n[ERROR]   CartTest.total:12 expected: <4> but was: <3>\n[INFO] \n[ERROR] Tests run: 1, Failures: 1, Errors: 0, Skipped: 0\n",
        "> Task :compileJava FAILED\n\nFAILURE: Build failed with an exception.\n\n* What went wrong:\nExecution failed for task ':compileJava'.\n> Compilation failed; see the compiler error output for details.\n",
        "PHPUnit 10.5.1 by Sebastian Bergmann and contributors.\n\nRuntime:       PHP 8.2.1\nConfiguration: /srv/phpunit.xml\n\n..  2 / 2 (100%)\n\nOK (2 tests, 2 assertions)\n",
        "=========================== short test summary info ============================\nFAILED tests/test_cart.py::test_total - KeyError: 'sku'\n============================== 1 failed in 0.02s ===============================\n",
        "=============================== warnings summary ===============================\nshop/cart.py:3\n  /srv/shop/cart.py:3: DeprecationWarning: old\n    import old\n\n-- Docs: https://docs.pytest.org/en/stable/how-to/capture-warnings.html\n============================== 1 passed in 0.02s ===============================\n",
        "Passed!  - Failed:     0, Passed:     3, Skipped:     0, Total:     3, Duration: 3 ms - Tests.dll (net8.0)\n",
        "lib/cart.rb:3: warning: literal in condition\nSyntax OK\n",
        "Pending: (Failures listed here are expected and do not affect your suite's status)\n\n  1) Cart totals\n     # Temporarily skipped with xit\n     # ./spec/cart_spec.rb:4\n\nFinished in 0.01 seconds\n1 example, 0 failures, 1 pending\n",
        "OK, but there were issues!\n\nThere was 1 risky test:\n\n1) CartTest::testCup\nThis test did not perform any assertions\n\n/srv/tests/CupTest.php:9\n",
        "GET http://localhost:8080/app.js:1\n  loaded http://localhost:8080/app.js\n",
    ]
    .into_iter()
    .filter(|text| said(text) != "refused")
    .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn behind_the_prefixes_of_logs() {
    let texts = [
        "Run options: --seed 4\n\n# Running:\n\nF\n\nFailure:\nCartTest#test_total [test/cart_test.rb:9]:\nExpected: 3\n  Actual: 2\n\n\nbin/rails test test/cart_test.rb:4\n\n\nFinished in 0.02s, 41.8 runs/s, 41.8 assertions/s.\n1 runs, 1 assertions, 1 failures, 0 errors, 0 skips\n",
        "..\n\n  1) test totals the cart (ShopTest)\n     test/shop_test.exs:5\n     Assertion with == failed\n     code:  assert Shop.total([1, 2]) == 4\n     left:  3\n     right: 4\n     stacktrace:\n       test/shop_test.exs:7: (test)\n\nFinished in 0.03 seconds\n2 tests, 1 failure\n",
        " FAIL  test/cart.test.ts > totals\nTypeError: Cannot read properties of undefined (reading 'price')\n ❯ total src/cart.ts:2:19\n      1| export function total(lines) {\n      2|   return lines[0].price;\n       |                   ^\n      3| }\n ❯ test/cart.test.ts:5:10\n\n⎯⎯⎯⎯[1/1]⎯\n",
        "TAP version 13\n# Subtest: totals\nnot ok 1 - totals\n  ---\n  duration_ms: 1.5\n  location: '/srv/test/cart.test.js:5:1'\n  failureType: 'testCodeFailure'\n  error: |-\n    Expected values to be strictly equal:\n    \n    3 !== 4\n    \n  code: 'ERR_ASSERTION'\n  name: 'AssertionError'\n  expected: 4\n  actual: 3\n  operator: 'strictEqual'\n  stack: |-\n    TestContext.<anonymous> (/srv/test/cart.test.js:6:10)\n    Test.runInAsyncScope (node:async_hooks:206:9)\n    Test.run (node:internal/test_runner/test:631:25)\n  ...\n1..1\n",
        "--- FAIL: TestTotal (0.00s)\n    cart_test.go:14: \n        \tError Trace:\t/srv/shop/cart_test.go:14\n        \tError:      \tNot equal: \n        \t            \texpected: 4\n        \t            \tactual  : 3\n        \tTest:       \tTestTotal\n        \tMessages:   \tcart total\nFAIL\n",
        "PHPUnit 10.5.1 by Sebastian Bergmann and contributors.\n\nF                                    1 / 1 (100%)\n\nThere was 1 failure:\n\n1) Shop\\Tests\\CartTest::testTotal\nFailed asserting that 3 matches expected 4.\n\n/srv/tests/CartTest.php:12\n\nFAILURES!\nTests: 1, Assertions: 1, Failures: 1.\n",
        "   FAIL  Tests\\Unit\\CartTest\n  ⨯ it totals                                              0.01s  \n  ────────────────────────────────────────────────────────────────────────────  \n   FAILED  Tests\\Unit\\CartTest > it totals                         ErrorException   \n  Undefined array key \"a\"\n\n  at app/Cart.php:9\n      5▕     {\n      6▕         $lines = [];\n      7▕ \n  ➜   9▕         return $lines[\"a\"];\n     10▕     }\n\n  1   app/Cart.php:9\n  2   tests/Unit/CartTest.php:6\n\n\n  Tests:    1 failed (0 assertions)\n  Duration: 0.10s\n",
        "Failures (1):\n  JUnit Jupiter:CartTest:total()\n    MethodSource [className = 'com.example.CartTest', methodName = 'total', methodParameterTypes = '']\n    => org.opentest4j.AssertionFailedError: expected: <4> but was: <3>\n       org.junit.jupiter.api.AssertionUtils.fail(AssertionUtils.java:55)\n       org.junit.jupiter.api.Assertions.assertEquals(Assertions.java:527)\n       com.example.shop.CartTest.total(CartTest.java:12)\n       [...]\n\nTest run finished after 64 ms\n",
        "CartTest > total() FAILED\n    org.opentest4j.AssertionFailedError at CartTest.java:12\n\n1 test completed, 1 failed\n",
        "[xUnit.net 00:00:00.51]     Shop.Tests.CartTests.Total [FAIL]\n  Failed Shop.Tests.CartTests.Total [3 ms]\n  Error Message:\n   Assert.Equal() Failure: Values differ\nExpected: 4\nActual:   3\n  Stack Trace:\n     at Shop.Tests.CartTests.Total() in /src/CartTests.cs:line 12\n   at System.RuntimeMethodHandle.InvokeMethod(Object target, Void** arguments, Signature sig, Boolean isConstructor)\n\nFailed!  - Failed:     1, Passed:     0, Skipped:     0, Total:     1, Duration: 3 ms - Tests.dll (net8.0)\n",
        "Uncaught TypeError: x is undefined\n    total http://localhost:8080/app.js:1\n    <anonymous> http://localhost:8080/app.js:5\n",
        "FAIL test/cart.test.js\n  ● totals\n\n    expect(received).toBe(expected) // Object.is equality\n\n    Expected: 4\n    Received: 3\n\n      4 |\n      5 | test('totals', () => {\n    > 6 |   expect(total([1, 2])).toBe(4);\n        |                         ^\n      7 | });\n\n      at Object.<anonymous> (test/cart.test.js:6:25)\n\nTests:       1 failed, 1 total\n",
    ];
    for text in texts {
        let actions = |(at, line): (usize, &str)| format!("2026-11-20T03:00:{:02}.1234567Z {line}\n", at % 60);
        let expected = said(text);
        assert_eq!(said(&text.lines().enumerate().map(actions).collect::<String>()), expected, "{text}");
        assert_eq!(
            said(&text.lines().map(|line| format!("web-1  | {line}\n")).collect::<String>()),
            expected,
            "{text}"
        );
    }
}

#[test]
fn a_raised_error_below_its_calls_is_not_theirs() {
    let text = "  1) test runs (ShopTest)\n     test/shop_test.exs:5\n     (shop 0.1.0) lib/shop.ex:4: Shop.run/0\n     \
                ** (EXIT) shutdown\n     stacktrace:\n       test/shop_test.exs:6: (test)\n";
    assert!(said(text).ends_with("lib/shop.ex:4 run/0"), "{}", said(text));
}
