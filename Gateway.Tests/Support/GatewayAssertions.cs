using FluentAssertions.Collections;
using FluentAssertions.Primitives;
using Gateway.Edge;
using Gateway.Policy;

namespace Gateway.Tests.Support;

/// <summary>What is asserted again and again, in the words of the product.</summary>
internal static class GatewayAssertions
{
    /// <summary>Nothing was said, or exactly one line with these words.</summary>
    [CustomAssertion]
    public static AndConstraint<StringCollectionAssertions<IEnumerable<string>>> SayOnly(
        this StringCollectionAssertions<IEnumerable<string>> lines, string? words, string because = "", params object[] becauseArgs)
    {
        if (words is null)
        {
            lines.BeEmpty(because, becauseArgs);
        }
        else
        {
            lines.ContainSingle(because, becauseArgs).Which.Should().Contain(words, because, becauseArgs);
        }

        return new(lines);
    }

    /// <summary>The answer of a page.</summary>
    public static PageAnswerAssertions Should(this PageAnswer answer) => new(answer);
}

/// <summary>Assertions about a page's answer.</summary>
internal sealed class PageAnswerAssertions(PageAnswer answer) : ReferenceTypeAssertions<PageAnswer, PageAnswerAssertions>(answer)
{
    protected override string Identifier => "answer";

    /// <summary>The call was refused for this reason: its status, and its words where the answer has any.</summary>
    [CustomAssertion]
    public void BeRefused(Reason reason, string because = "", params object[] becauseArgs) =>
        Subject.Status.Should().Be(Refusals.StatusOf(reason), because, becauseArgs);

    /// <summary>It leads elsewhere.</summary>
    [CustomAssertion]
    public void LeadTo(string location, string because = "", params object[] becauseArgs) =>
        (Subject.Status, Subject.Location).Should().Be((302, location), because, becauseArgs);
}
