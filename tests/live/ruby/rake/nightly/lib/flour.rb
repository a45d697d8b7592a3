# frozen_string_literal: true

module Flour
  # Sacks, and what is in them.
  class Store
    class Torn < StandardError; end

    # Shares what there is among bakers.
    def weigh(bakers)
      bakers.each_slice(2).flat_map do |some|
        some.map do |baker|
          240.divmod(baker).first
        end
      end
    end

    # How many sacks a note speaks of.
    def count(note)
      name, many = note.split(": ")
      [name, Integer(many)]
    end

    # Through the fine sieve, and where that is torn, the coarse one.
    def sieve
      sacks = %w[rye wheat spelt]
      fine = nil
      sifted = 0
      sacks.each do |sack|
        next if sack.empty?

        shake(fine)
        sifted += 1
      end
      sifted
    rescue NoMethodError => error
      warn error.message
      raise Torn, "the fine sieve is torn"
    end

    private

    def shake(sieve)
      sieve.shake
    end
  end
end
