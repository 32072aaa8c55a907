"""Names for generated users and clubs."""

FIRST_NAMES = """
Ana Beatriz Bruno Caio Camila Carla Clara Davi Eduarda Felipe Gabriel Helena Igor Isabela João Júlia Larissa Laura Lucas
Luiza Marcos Mariana Mateus Miguel Otávio Paula Pedro Rafael Renata Sofia Thiago Vitória Alice Amelia Arthur Charlotte
Daniel Edward Eleanor Emily Fiona George Grace Hannah Harry Hazel Henry Isla Jack James Kate Liam Lucy Mary Noah Nora
Oliver Oscar Rose Ruth Samuel Thomas Violet William
""".split()

LAST_NAMES = """
Almeida Andrade Araújo Barbosa Barros Cardoso Carvalho Castro Correia Costa Dias Duarte Esteves Farias Ferreira Freitas
Gomes Lima Lopes Macedo Martins Melo Mendes Moraes Nogueira Nunes Oliveira Pereira Pinto Prado Ramos Ribeiro Rocha
Santos Silva Souza Tavares Teixeira Vieira Adams Baker Bennett Brooks Byrne Carter Clarke Collins Cooper Davies Ellis
Evans Fisher Foster Gray Green Hall Harris Hughes Jones Kelly Knight Lewis Marsh Miller Moore Morgan Murphy Palmer
Parker Price Quinn Reed Shaw Taylor Turner Walker Ward Webb Wood Wright Young
""".split()

# Name patterns and place names by language.
CLUB_NAMES = {
    "pt-br": (
        ("Leitores de {}", "Clube do Livro de {}", "Páginas de {}", "Roda de Leitura de {}", "Estante de {}"),
        """
        Pinheiros Olinda Curitiba Belém Manaus Recife Salvador Fortaleza Niterói Campinas Santos Florianópolis Natal
        Vitória Goiânia Cuiabá Aracaju Maceió Londrina Pelotas Ouro-Preto Paraty Petrópolis Ilhéus
        """.split(),
    ),
    "en": (
        ("Readers of {}", "{} Book Club", "The {} Shelf", "{} Night Readers", "Slow Readers of {}"),
        """
        Bristol Cork Galway Leeds York Dublin Oxford Bath Norwich Dundee Cardiff Exeter Boston Portland Austin Denver
        Seattle Savannah Halifax Ottawa Perth Hobart Dunedin Wellington
        """.split(),
    ),
}

ZONES = {
    "pt-br": ("America/Sao_Paulo", "America/Recife", "America/Manaus", "Europe/Lisbon"),
    "en": ("Europe/London", "Europe/Dublin", "America/New_York", "Australia/Sydney", "UTC"),
}

DESCRIPTIONS = {
    "pt-br": ("Um livro por mês, sem pressa.", "Romances, contos e café.", "Todo mundo é bem-vindo.", ""),
    "en": ("One book a month, no hurry.", "Novels, stories and tea.", "Everybody is welcome.", ""),
}
