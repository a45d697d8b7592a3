# frozen_string_literal: true

module Bakery
  class OrderFailed < StandardError; end

  # What is warm, and for whom.
  class Ovens
    DEGREES = { "stone" => 280, "steam" => 230 }.freeze

    # How warm an oven is for so many loaves.
    def heat(oven, loaves)
      degrees = DEGREES[oven]
      degrees.succ / loaves
    end

    # What somebody has ordered.
    def order(number)
      paper = "order " + number
      loaves = read(paper)
      oven = loaves.size > 20 ? "stone" : "steam"
      degrees = heat(oven, loaves.size)
      {
        paper: paper,
        oven: oven,
        degrees: degrees,
        loaves: loaves
      }.to_s
    rescue ArgumentError
      raise OrderFailed, "#{paper} can't be read"
    end

    private

    def read(paper)
      raise ArgumentError, "no paper" unless paper.empty?

      paper
    end
  end
end
