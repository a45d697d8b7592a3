# frozen_string_literal: true

# The bakery's counter: Sinatra on WEBrick, with sentry-ruby.

require "sentry-ruby"
require "sinatra/base"
require "rack/handler/webrick"
require_relative "lib/bakery/ovens"

Sentry.init do |config|
  config.dsn = ENV.fetch("DSN")
  config.release = ENV.fetch("GIT_COMMIT")
  config.environment = "staging"
  config.logger = Logger.new(File::NULL)
  config.capture_exception_frame_locals = true
end

# What people ask for.
class Counter < Sinatra::Base
  use Sentry::Rack::CaptureExceptions

  set :root, __dir__
  set :environment, :production
  set :raise_errors, true
  set :show_exceptions, false

  post "/bakes/:oven" do
    Bakery::Ovens.new.heat(params[:oven], params[:loaves].to_i).to_s
  end

  get "/orders/:number" do
    Bakery::Ovens.new.order(params[:number])
  end

  get "/tray" do
    @loaves = [{ name: "rye", grams: 900 }, { name: "bun" }]
    erb :tray
  end
end

listening = ->(server) { warn "listening on http://127.0.0.1:#{server.listeners.first.addr[1]}" }
Rack::Handler::WEBrick.run(Counter, Host: "127.0.0.1", Port: 0, AccessLog: [], &listening)
